package producer

import (
	"context"
	"errors"
	"slices"
	"time"

	"orderq/streamutil"
)

// enqueue gives the order to Redis within storeTimeout. It tries once more if
// Redis is away for a moment, as in a failover or a restart. If the first try
// was lost on its way back, the second is told of a duplicate, and so is the
// client: that is true, if not what it expects.
func (h *Handler) enqueue(ctx context.Context, order streamutil.NewOrder) (streamutil.Receipt, error) {
	defer h.tookSince(time.Now(), order.TraceParent)
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	got, err := h.queue.Enqueue(ctx, order)
	if errors.Is(err, streamutil.ErrUnavailable) {
		h.wrote(err)
		if !pause(ctx, storeTimeout/10) {
			return got, err
		}
		got, err = h.queue.Enqueue(ctx, order)
	}
	h.wrote(err)
	return got, err
}

// enqueueAll is enqueue for many: tried once more are those from the first on
// that found Redis away, so that they keep their order.
func (h *Handler) enqueueAll(ctx context.Context, orders []streamutil.NewOrder) []streamutil.Submission {
	if len(orders) == 0 {
		return nil
	}
	defer h.tookSince(time.Now(), orders[0].TraceParent)
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	got := h.queue.EnqueueBatch(ctx, orders)
	lost := slices.IndexFunc(got, func(s streamutil.Submission) bool { return errors.Is(s.Err, streamutil.ErrUnavailable) })
	if lost < 0 {
		h.wrote(got[0].Err)
		return got
	}
	h.wrote(got[lost].Err)
	if !pause(ctx, storeTimeout/10) {
		return got
	}
	again := h.queue.EnqueueBatch(ctx, orders[lost:])
	h.wrote(again[0].Err)
	return append(got[:lost], again...)
}

func (h *Handler) tookSince(start time.Time, traceParent string) {
	h.metrics.EnqueueTook(time.Since(start), traceParent)
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
