package producer

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"orderq/metrics"
	"orderq/streamutil"
)

// problem is an answer that is not what the client hoped for, as a document of
// RFC 9457. Details are for people and never repeat what was sent.
type problem struct {
	// Type names the kind for programs; it does not change.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Instance names the request, as the logs do; a part of a batch has none.
	Instance string `json:"instance,omitempty"`
	// State is the order's; only where it stands against a cancellation.
	State streamutil.State `json:"state,omitempty"`
	// Offset is the byte, counted from 0, at which the body stops being what
	// it must be; only for malformed bodies.
	Offset *int `json:"offset,omitempty"`
	// Errors are the wrong fields; only for invalid orders.
	Errors []fieldError `json:"errors,omitempty"`

	reason     string        // label of the metric
	retryAfter time.Duration // 0: do not invite a repetition
	allow      string        // Allow header of a 405
	cause      error         // for the log only
}

// fieldError is one wrong field of an order.
type fieldError struct {
	// Pointer is a JSON pointer as a URI fragment, such as "#/items/0/sku".
	Pointer string `json:"pointer"`
	// Code is one of required, type, format, range, length, enum.
	Code string `json:"code"`
	// Detail says what the field must be.
	Detail string `json:"detail"`
}

const problemType = "urn:orderq:problem:"

func newProblem(status int, kind, title, detail string) *problem {
	return &problem{Type: problemType + kind, Title: title, Status: status, Detail: detail}
}

func (p *problem) counted(reason string) *problem       { p.reason = reason; return p }
func (p *problem) causedBy(err error) *problem          { p.cause = err; return p }
func (p *problem) retryIn(after time.Duration) *problem { p.retryAfter = after; return p }
func unavailable(kind, title, detail string) *problem {
	return newProblem(http.StatusServiceUnavailable, kind, title, detail)
}

func problemNotFound(detail string) *problem {
	return newProblem(http.StatusNotFound, "not-found", "Not found", detail)
}

func problemMethod(allow string) *problem {
	p := newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed", "this path takes "+allow)
	p.allow = allow
	return p
}

func problemMalformed(fault *syntaxError) *problem {
	p := newProblem(http.StatusBadRequest, "malformed", "Not a JSON order", fault.Error())
	p.Offset = &fault.offset
	return p.counted(metrics.RejectedMalformed)
}

// An answer lists so many wrong fields of an order, and of one in a batch: what
// is refused must not cost more than what is taken.
const (
	maxFaults        = 100
	maxFaultsInBatch = 10
)

func problemInvalid(faults []fieldError) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid-order", "Invalid order",
		"the order has fields that are not as they must be; see errors")
	p.Errors = faults
	p.listFirst(maxFaults)
	return p.counted(metrics.RejectedValidation)
}

// listFirst leaves out all wrong fields but the first.
func (p *problem) listFirst(most int) {
	if len(p.Errors) > most {
		p.Errors = slices.Clone(p.Errors[:most]) // the rest is let go of
		p.Detail = "the order has many fields that are not as they must be; errors has the first " + strconv.Itoa(most)
	}
}

func problemOverloaded() *problem {
	return unavailable("overloaded", "Too many requests", "more requests are under way than this process serves at once").
		counted(metrics.RejectedOverloaded).retryIn(time.Second)
}

func problemDraining() *problem {
	return unavailable("draining", "Going down", "this process takes no new orders; another one does").retryIn(time.Second)
}

func problemInternal(cause error) *problem {
	return newProblem(http.StatusInternalServerError, "internal", "Internal error", "the fault is ours; the log has the cause").
		counted(metrics.RejectedInternal).causedBy(cause)
}

// problemOf turns an error of the queue into the answer it deserves.
func problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.Is(err, context.Canceled): // the client is gone; Redis is not to blame
		p = unavailable("aborted", "The request was given up", "send the same request again").
			counted(metrics.RejectedAborted).retryIn(time.Second)
	case errors.Is(err, streamutil.ErrNotFound):
		return problemNotFound("no order has this id, or it was finished too long ago")
	case errors.Is(err, streamutil.ErrConflict):
		return newProblem(http.StatusConflict, "conflict", "Another order has this id",
			"an order with this id and another body was accepted before").counted(metrics.RejectedConflict)
	case errors.Is(err, streamutil.ErrFull):
		p = unavailable("full", "The queue is full", "the order was not taken; send it again later").
			counted(metrics.RejectedFull).retryIn(10 * time.Second)
	case errors.Is(err, streamutil.ErrMemory):
		p = unavailable("memory", "The store is full", "the order was not taken; send it again later").
			counted(metrics.RejectedMemory).retryIn(30 * time.Second)
	case errors.Is(err, streamutil.ErrNotConfirmed):
		p = unavailable("not-confirmed", "The order is not safe yet",
			"the order may have been taken, but not as safely as promised; send it again, unchanged").
			counted(metrics.RejectedNotConfirmed).retryIn(2 * time.Second)
	case errors.Is(err, streamutil.ErrUnavailable), errors.Is(err, streamutil.ErrDurability),
		errors.Is(err, context.DeadlineExceeded):
		p = unavailable("unavailable", titleOf(err), "send the same request again later").
			counted(metrics.RejectedRedis).retryIn(2 * time.Second)
	default:
		return problemInternal(err)
	}
	return p.causedBy(err)
}

// titleOf says in which way Redis is of no use.
func titleOf(err error) string {
	switch {
	case errors.Is(err, streamutil.ErrSchema):
		return "This process is too old for the store"
	case errors.Is(err, streamutil.ErrReplicas), errors.Is(err, streamutil.ErrDurability), streamutil.ErrorKind(err) == "readonly":
		return "The store takes no writes"
	case streamutil.ErrorKind(err) == "auth":
		return "The store refuses us"
	}
	return "The store does not answer"
}

// write sends p as the answer to r.
func (p *problem) write(w http.ResponseWriter) {
	header := w.Header()
	p.Instance = "urn:request:" + header.Get(headerRequestID)
	if p.allow != "" {
		header.Set("Allow", p.allow)
	}
	if p.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(p.retryAfter.Seconds())))
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

// log says why an answer was a 5xx; the client's own mistakes are no news.
func (p *problem) log(log *zap.Logger, w http.ResponseWriter, r *http.Request) {
	if p.Status < http.StatusInternalServerError || errors.Is(p.cause, context.Canceled) {
		return
	}
	// A message for each reason, so that what thins out a flood of one leaves the
	// first of another.
	log.Warn("request failed: "+p.Type[len(problemType):], zap.Int("http_status", p.Status),
		zap.String("method", r.Method), zap.String("handler", r.Pattern),
		zap.String("request_id", w.Header().Get(headerRequestID)), logTrace(traceParent(r)), zap.Error(p.cause))
}

// logTrace is the field that leads from a line to the trace of its request, if
// that has one.
func logTrace(traceParent string) zap.Field {
	if id := metrics.TraceID(traceParent); id != "" {
		return zap.String("trace_id", id)
	}
	return zap.Skip()
}

// writeJSON answers with v. A client that is gone gets nothing, and nobody
// else is the worse for it.
func writeJSON(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil { // v is always a struct of ours
		panic(err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
