package producer

import (
	"net/http"

	"go.uber.org/zap"

	"orderq/metrics"
	"orderq/streamutil"
)

const (
	maxBatchOrders = 1000
	maxBatchSize   = 16 << 20
)

// batchAnswer says what became of each order of a batch, in the request's order.
type batchAnswer struct {
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
	Rejected   int `json:"rejected"`
	// Durability is what all with 202 have reached; null if there are none.
	Durability *streamutil.Durability `json:"durability"`
	Results    []batchResult          `json:"results"`
}

// batchResult has an entry, or the problem that the order would have had by
// itself.
type batchResult struct {
	OrderID   *string             `json:"order_id"` // null if the order has no valid one
	Status    int                 `json:"status"`   // HTTP
	EntryID   *streamutil.EntryID `json:"entry_id,omitempty"`
	State     streamutil.State    `json:"state,omitempty"`
	Duplicate *bool               `json:"duplicate,omitempty"`
	Problem   *problem            `json:"problem,omitempty"`
}

// batch is POST /v1/orders:batch: read, split, check each, enqueue all that may
// be, tell.
func (h *Handler) batch(w http.ResponseWriter, r *http.Request, who caller) *problem {
	split := splitters[mediaType(r.Header)]
	if split == nil {
		return problemMediaType("a batch is application/json or application/x-ndjson in UTF-8, without Content-Encoding")
	}
	return h.batches.serve(clientOf(who, r), func() *problem {
		body, p := h.readBody(w, r, h.batchBounds())
		if p != nil {
			return p
		}
		orders, p := split(body)
		if p != nil {
			return p
		}
		trace := traceParent(r)
		b := h.checkAll(orders, trace)
		b.settle(h.enqueueAll(r.Context(), b.sound))
		h.countBatch(b)
		if p := b.failure(); p != nil {
			return p
		}
		h.log.Debug("batch taken", zap.Int("accepted", b.answer.Accepted), zap.Int("duplicates", b.answer.Duplicates),
			zap.Int("rejected", b.answer.Rejected), zap.String("request_id", w.Header().Get(headerRequestID)), logTrace(trace))
		writeJSON(w, http.StatusOK, typeJSON, b.answer)
		return nil
	})
}

// batch is a batch of orders on its way.
type batch struct {
	answer batchAnswer
	sound  []streamutil.NewOrder // what may be enqueued
	at     []int                 // whose result is each of them
}

// checkAll checks every order. Those that are not sound have their result.
func (h *Handler) checkAll(orders [][]byte, trace string) *batch {
	b := &batch{answer: batchAnswer{Results: make([]batchResult, len(orders))}}
	for i, body := range orders {
		id, p := h.checkOne(body)
		result := &b.answer.Results[i]
		if id != "" {
			result.OrderID = &id
		}
		if p != nil {
			p.listFirst(maxFaultsInBatch)
			b.reject(result, p)
			continue
		}
		b.sound = append(b.sound, streamutil.NewOrder{ID: id, Body: body, TraceParent: trace})
		b.at = append(b.at, i)
	}
	return b
}

// checkOne checks an order as if it had come by itself.
func (h *Handler) checkOne(body []byte) (id string, p *problem) {
	if int64(len(body)) > h.cfg.MaxBody {
		return "", problemTooLarge(h.orderBounds().tooLarge)
	}
	return h.check(body, nil)
}

func (b *batch) reject(result *batchResult, p *problem) {
	b.answer.Rejected++
	result.Status, result.Problem = p.Status, p
}

// settle notes what became of the orders that were enqueued.
func (b *batch) settle(submissions []streamutil.Submission) {
	for i, s := range submissions {
		result := &b.answer.Results[b.at[i]]
		if s.Err != nil {
			b.reject(result, problemOf(s.Err))
			continue
		}
		result.Status, result.EntryID, result.State, result.Duplicate = http.StatusAccepted, &s.Entry, s.State, &s.Duplicate
		if s.Duplicate {
			b.answer.Duplicates++
		} else {
			b.answer.Accepted++
		}
		if b.answer.Durability == nil || s.Durability.Replicas() < b.answer.Durability.Replicas() {
			b.answer.Durability = &s.Durability
		}
	}
}

// failure is the answer to the whole request if no order could be enqueued for
// want of Redis or of room: then there is one thing to do, for all of them.
func (b *batch) failure() *problem {
	var first *problem
	for _, i := range b.at {
		p := b.answer.Results[i].Problem
		if p == nil || p.Status != http.StatusServiceUnavailable {
			return nil
		}
		if first == nil {
			first = p
		}
	}
	if first == nil {
		return nil
	}
	whole := *first
	return whole.counted("") // each order was
}

// countBatch counts the orders of a batch.
func (h *Handler) countBatch(b *batch) {
	h.metrics.Offered(metrics.SourceBatch, len(b.answer.Results))
	h.metrics.Duplicates(b.answer.Duplicates)
	for _, result := range b.answer.Results {
		if result.Problem != nil {
			h.metrics.Rejected(result.Problem.reason)
		}
	}
}
