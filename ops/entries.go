package ops

import (
	"context"
	"iter"

	"orderq/streamutil"
)

// lastEntry is the newest one of the queue.
func (c *change) lastEntry(ctx context.Context) (streamutil.EntryID, error) {
	return call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (streamutil.EntryID, error) { return q.LastEntry(ctx) })
}

// copiesUpTo goes through the queue behind an entry, up to another one, oldest first, a
// page at a time.
func (c *change) copiesUpTo(ctx context.Context, after, upTo streamutil.EntryID) iter.Seq2[[]streamutil.Copy, error] {
	return func(yield func([]streamutil.Copy, error) bool) {
		for after.Compare(upTo) < 0 {
			copies, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Copy, error) {
				return q.CopyUnfinished(ctx, after, page)
			})
			for i, o := range copies {
				if o.Entry.Compare(upTo) > 0 {
					copies = copies[:i]
					break
				}
			}
			if err != nil {
				yield(nil, err)
			}
			if err != nil || len(copies) == 0 {
				return
			}
			after = copies[len(copies)-1].Entry
			if !yield(copies, nil) {
				return
			}
		}
	}
}
