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
func copiesUpTo(ctx context.Context, p *persistence, after, upTo streamutil.EntryID) iter.Seq2[[]streamutil.Copy, error] {
	return func(yield func([]streamutil.Copy, error) bool) {
		for n := (pageSize{}); after.Compare(upTo) < 0; {
			copies, err := asked(ctx, p, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Copy, error) {
				return q.CopyUnfinished(ctx, after, n.next())
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
			n.was(copies)
			after = copies[len(copies)-1].Entry
			if !yield(copies, nil) {
				return
			}
		}
	}
}

// pageSize is how many orders to read next: many small ones, few large ones.
type pageSize struct{ n int }

// The first page is small, for nobody knows how large its orders are. A page of more
// than pageBytes is followed by a smaller one.
const (
	firstPage = 8
	pageBytes = 2 << 20
)

func (p *pageSize) next() int {
	if p.n == 0 {
		p.n = firstPage
	}
	return p.n
}

func (p *pageSize) was(copies []streamutil.Copy) {
	size := 0
	for _, c := range copies {
		size += len(c.Body) + len(c.Raw)
	}
	if size > pageBytes {
		p.n = max(1, p.n/2)
	} else {
		p.n = min(2*p.n, page)
	}
}
