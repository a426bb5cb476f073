package producer

import (
	"net/http"
	"regexp"
	"strings"

	"go.uber.org/zap"

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
	// Durability is what the order has reached, in the words of the configuration.
	Durability streamutil.Durability `json:"durability"`
}

// submit is POST /v1/orders: read, check, enqueue, tell.
func (h *Handler) submit(w http.ResponseWriter, r *http.Request, _ caller) *problem {
	if mediaType(r.Header) != typeJSON {
		return problemMediaType("an order is application/json in UTF-8, without Content-Encoding")
	}
	body, p := h.readBody(w, r, h.orderBounds())
	if p != nil {
		return p
	}
	key := strings.Join(r.Header.Values("Idempotency-Key"), ", ")
	id, p := h.check(body, &key)
	if p != nil {
		return p
	}
	order := streamutil.NewOrder{ID: id, Body: body, TraceParent: traceParent(r)}
	got, err := h.enqueue(r.Context(), order)
	if err != nil {
		return problemOf(err)
	}
	w.Header().Set("Location", mountedAt(r)+"/v1/orders/"+id)
	h.accepted(w, order, got)
	return nil
}

// accepted says that the order is in the queue, or was before.
func (h *Handler) accepted(w http.ResponseWriter, o streamutil.NewOrder, got streamutil.Receipt) {
	if got.Duplicate {
		h.metrics.Duplicates(1)
		w.Header().Set("Idempotent-Replayed", "true")
	}
	h.log.Debug("order accepted", zap.String("order_id", o.ID), zap.Stringer("entry_id", got.Entry),
		zap.Bool("duplicate", got.Duplicate), zap.String("request_id", w.Header().Get(headerRequestID)), logTrace(o.TraceParent))
	position, estimate := place(got.Place)
	writeJSON(w, http.StatusAccepted, "application/json", receipt{
		OrderID: o.ID, EntryID: got.Entry, State: got.State,
		Position: position, EstimatedAt: estimate, Duplicate: got.Duplicate,
		Durability: got.Durability,
	})
}

// mountedAt is the prefix that [http.StripPrefix] took away before this handler
// saw the path, as where a server of one's own has it under /shop.
func mountedAt(r *http.Request) string {
	whole, _, _ := strings.Cut(r.RequestURI, "?")
	prefix, ok := strings.CutSuffix(whole, r.URL.EscapedPath())
	if !ok || !strings.HasPrefix(prefix, "/") {
		return ""
	}
	return prefix
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
