package producer

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"orderq/metrics"
	"orderq/streamutil"
)

// receipt answers a submission. All keys are always present.
type receipt struct {
	OrderID     string             `json:"order_id"`
	EntryID     streamutil.EntryID `json:"entry_id"`
	State       streamutil.State   `json:"state"`
	Position    *int64             `json:"position"`
	EstimatedAt *string            `json:"estimated_at"`
	Duplicate   bool               `json:"duplicate"`
}

// submit is POST /v1/orders: read, check, enqueue, tell.
func (h *Handler) submit(w http.ResponseWriter, r *http.Request) *problem {
	body, p := h.readBody(w, r)
	if p != nil {
		return p
	}
	id, p := h.check(body, strings.Join(r.Header.Values("Idempotency-Key"), ", "))
	if p != nil {
		return p
	}
	order := streamutil.NewOrder{ID: id, Body: body, TraceParent: traceParent(r)}
	got, err := h.enqueue(r.Context(), order)
	if err != nil {
		return problemOf(err)
	}
	h.accepted(w, id, got)
	return nil
}

// accepted says that the order is in the queue, or was before.
func (h *Handler) accepted(w http.ResponseWriter, id string, got streamutil.Receipt) {
	if got.Duplicate {
		h.metrics.Duplicate()
		w.Header().Set("Idempotent-Replayed", "true")
	}
	h.log.Debug("order accepted", zap.String("order_id", id), zap.Stringer("entry_id", got.Entry),
		zap.Bool("duplicate", got.Duplicate), zap.String("request_id", w.Header().Get(headerRequestID)))
	w.Header().Set("Location", "/v1/orders/"+id)
	position, estimate := place(got.Place)
	writeJSON(w, http.StatusAccepted, "application/json", receipt{
		OrderID: id, EntryID: got.Entry, State: got.State,
		Position: position, EstimatedAt: estimate, Duplicate: got.Duplicate,
	})
}

// enqueue gives the order to Redis within storeTimeout. It tries once more if
// Redis is away for a moment, as in a failover or a restart. If the first try
// was lost on its way back, the second is told of a duplicate, and so is the
// client: that is true, if not what it expects.
func (h *Handler) enqueue(ctx context.Context, order streamutil.NewOrder) (streamutil.Receipt, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	got, err := h.queue.Enqueue(ctx, order)
	if errors.Is(err, streamutil.ErrUnavailable) {
		h.countTrouble(err)
		if !pause(ctx, storeTimeout/10) {
			return got, err
		}
		got, err = h.queue.Enqueue(ctx, order)
	}
	h.countTrouble(err)
	h.metrics.EnqueueTook(time.Since(start))
	return got, err
}

// pause waits, unless ctx ends first; it reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// readBody gives the body as it came in, if it claims to be JSON and is not
// too large. What is too large by its own account is not read at all.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *problem) {
	if p := checkMediaType(r.Header); p != nil {
		return nil, p
	}
	if r.ContentLength > h.cfg.MaxBody {
		w.Header().Set("Connection", "close")
		return nil, h.problemTooLarge()
	}
	// Not every ResponseWriter can set deadlines; the server's own are then
	// all there is.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
	var buf bytes.Buffer
	buf.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead)
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, h.cfg.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		// A deadline left behind would cancel the request when it passes.
		_ = control.SetReadDeadline(time.Time{})
		return buf.Bytes(), nil
	case errors.As(err, &tooLarge):
		return nil, h.problemTooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return nil, newProblem(http.StatusRequestTimeout, "timeout", "Too slow",
			"the body did not come in time").counted(metrics.RejectedAborted)
	}
	return nil, newProblem(http.StatusBadRequest, "aborted", "Incomplete request",
		"the body broke off").counted(metrics.RejectedAborted).causedBy(err)
}

func (h *Handler) problemTooLarge() *problem {
	return newProblem(http.StatusRequestEntityTooLarge, "too-large", "Order too large",
		"an order has at most "+strconv.FormatInt(h.cfg.MaxBody, 10)+" bytes").counted(metrics.RejectedTooLarge)
}

// checkMediaType takes application/json, in UTF-8 where it says so, as it is.
func checkMediaType(header http.Header) *problem {
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset, named := params["charset"]
	switch {
	case err != nil, media != "application/json", named && !strings.EqualFold(charset, "utf-8"):
	case header.Get("Content-Encoding") != "" && header.Get("Content-Encoding") != "identity":
	default:
		return nil
	}
	return newProblem(http.StatusUnsupportedMediaType, "media-type", "Unsupported media type",
		"an order is application/json in UTF-8, without Content-Encoding").counted(metrics.RejectedMediaType)
}

var traceParentForm = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// traceParent is the request's place in a trace, or "" where it has none, or
// one that W3C Trace Context calls invalid, which is to be ignored.
func traceParent(r *http.Request) string {
	values := r.Header.Values("traceparent")
	if len(values) != 1 || !traceParentForm.MatchString(values[0]) {
		return ""
	}
	trace, span := values[0][3:35], values[0][36:52]
	if strings.Trim(trace, "0") == "" || strings.Trim(span, "0") == "" {
		return ""
	}
	return values[0]
}
