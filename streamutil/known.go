package streamutil

import (
	"context"

	"github.com/redis/rueidis"
)

// Known is what the queue knows of an order's id.
type Known struct {
	// State is empty if the id is not known, or its entry was deleted by hand before it
	// was sent: the same order is taken again then.
	State State
	// Conflict says that it is known with another body, or that something is kept under
	// it that is no record; Purged that a purge has cancelled it.
	Conflict, Purged bool
}

// Known tells which orders the queue knows, as [Queue.EnqueueBatch] and [Queue.Import]
// would find them: by their records (HMGET), and of those that have not ended by their
// entries (XRANGE). It changes nothing.
//
// Errors: [ErrUnavailable].
func (q *Queue) Known(ctx context.Context, orders []NewOrder) ([]Known, error) {
	const doing = "look up orders"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap(doing, err)
	}
	records := make(rueidis.Commands, 0, len(orders))
	for _, o := range orders {
		records = append(records, rdb.B().Hmget().Key(q.keys.order+o.ID).Field("state", "hash", "purged_by", "entry").Build())
	}
	known := make([]Known, len(orders))
	var entries rueidis.Commands
	var of []int // whose they are
	for i, r := range rdb.DoMulti(ctx, records...) {
		f, err := r.AsStrSlice()
		if _, junk := rueidis.IsRedisErr(err); junk {
			known[i].Conflict = true
			continue
		}
		if err != nil {
			return nil, wrap(doing, err)
		}
		k := Known{State: State(f[0]), Conflict: f[1] != "" && f[1] != bodyHash(orders[i].Body)}
		k.Purged = k.State == Cancelled && f[2] != ""
		known[i] = k
		if k.State != "" && !k.State.Final() && !k.Conflict {
			entries, of = append(entries, rdb.B().Xrange().Key(q.keys.stream).Start(f[3]).End(f[3]).Build()), append(of, i)
		}
	}
	if len(entries) == 0 {
		return known, nil
	}
	for n, r := range rdb.DoMulti(ctx, entries...) {
		found, err := r.ToArray()
		if _, junk := rueidis.IsRedisErr(err); err != nil && !junk {
			return nil, wrap(doing, err)
		}
		if len(found) == 0 {
			known[of[n]].State = ""
		}
	}
	return known, nil
}
