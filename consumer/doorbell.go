package consumer

import (
	"context"
	"time"

	"orderq/streamutil"
)

// doorbell wakes an idle consumer: a new entry rings it in Redis, an entry that
// became due rings it here.
type doorbell struct {
	queue  *streamutil.Queue
	turned func()        // called whenever a wait comes round
	rung   chan struct{} // one token
}

func newDoorbell(q *streamutil.Queue, turned func()) *doorbell {
	return &doorbell{queue: q, turned: turned, rung: make(chan struct{}, 1)}
}

// ring tells that something may be taken.
func (b *doorbell) ring() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// wait returns when something may be there to take after a take that found
// nothing: at once when an entry comes, within a second when one is parked.
func (b *doorbell) wait(ctx context.Context, empty streamutil.Taken) error {
	for {
		b.turned()
		block := maxSleep
		if empty.Wait >= 0 {
			block = min(empty.Wait, maxSleep)
		}
		came, err := b.queue.AwaitEntry(ctx, empty.Last, max(block, time.Millisecond))
		if came || err != nil || empty.Wait >= 0 {
			return err
		}
		select {
		case <-b.rung:
			return nil
		default:
		}
	}
}
