package streamutil

import (
	"context"
	"errors"
)

// A batch is enqueued in chunks, so that nobody else waits long for Redis.
const (
	chunkOrders = 100
	chunkBytes  = 1 << 20
)

// Submission is what became of one order of a batch.
type Submission struct {
	Receipt
	// Err is nil, or one of those that [Queue.Enqueue] gives.
	Err error
}

// errNotTried is what those of a batch are told that come after a write which was
// not confirmed: theirs would hardly be, and each would take its time.
var errNotTried = wrap("enqueue", &redisError{
	kind: kindTimeout, err: errors.New("not tried, for the orders before it were not confirmed in time"),
})

// EnqueueBatch accepts orders, each as [Queue.Enqueue] does, in their order: of
// two with the same id the second is the duplicate. There is a round trip for
// each hundred of them, or for each MiB. The receipts have no Place. Once Redis
// is lost on the way, or the queue is full, no new one behind is taken, so that a
// repetition keeps the order. Safe to repeat.
func (q *Queue) EnqueueBatch(ctx context.Context, orders []NewOrder) []Submission {
	all := make([]Submission, 0, len(orders))
	var lost error
	for len(orders) > 0 {
		n := firstChunk(orders)
		part := make([]Submission, n)
		if lost == nil {
			part = q.enqueue(ctx, false, orders[:n]...)
			lost = lostIn(part)
		} else {
			for i := range part {
				part[i].Err = lost
			}
		}
		all, orders = append(all, part...), orders[n:]
	}
	return all
}

// firstChunk is how many of the orders, at least one, make a chunk.
func firstChunk(orders []NewOrder) int {
	size := 0
	for i, o := range orders[:min(len(orders), chunkOrders)] {
		if size += len(o.Body); i > 0 && size > chunkBytes {
			return i
		}
	}
	return min(len(orders), chunkOrders)
}

// lostIn gives the error for those that follow a chunk after which nothing more is
// to be had from Redis, or there is no more room; nil if all is well.
func lostIn(chunk []Submission) error {
	for _, s := range chunk {
		switch {
		case errors.Is(s.Err, ErrNotConfirmed):
			return errNotTried
		case errors.Is(s.Err, ErrFull), errors.Is(s.Err, ErrUnavailable), errors.Is(s.Err, ErrMemory):
			return s.Err
		}
	}
	return nil
}
