package ops

import (
	"context"
	"iter"

	"orderq/streamutil"
)

// entriesUpToNow goes through the queue as it is now, oldest first, a page at a
// time: orders that come meanwhile are not met.
func (c *change) entriesUpToNow(ctx context.Context) iter.Seq2[[]streamutil.StoredEntry, error] {
	return func(yield func([]streamutil.StoredEntry, error) bool) {
		upTo, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (streamutil.EntryID, error) {
			return q.LastEntry(ctx)
		})
		if err != nil {
			yield(nil, err)
			return
		}
		var after streamutil.EntryID
		for after.Compare(upTo) < 0 {
			entries, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.StoredEntry, error) {
				return q.Entries(ctx, after, purgePage)
			})
			for i, e := range entries {
				if e.Entry.Compare(upTo) > 0 {
					entries = entries[:i]
					break
				}
			}
			if err != nil || len(entries) == 0 {
				if err != nil {
					yield(nil, err)
				}
				return
			}
			after = entries[len(entries)-1].Entry
			if !yield(entries, nil) {
				return
			}
		}
	}
}

// heldAmong says which of the entries are in flight or parked; the others wait.
func (c *change) heldAmong(ctx context.Context, entries []streamutil.StoredEntry) (map[streamutil.EntryID]streamutil.State, error) {
	return call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (map[streamutil.EntryID]streamutil.State, error) {
		return q.Held(ctx, entries[0].Entry, entries[len(entries)-1].Entry)
	})
}
