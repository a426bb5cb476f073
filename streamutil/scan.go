package streamutil

import (
	"context"
	"time"
)

// MaxPage is how many orders one page holds at most: so many take Redis well
// under 5 ms.
const MaxPage = 50

// Listing says which orders a page is to hold. The zero value is the first page
// of all that are not finished.
type Listing struct {
	// State is one that is not final; empty means all of these.
	State State
	// After is the cursor of the order to go on behind; zero begins.
	After EntryID
	// Limit is how many orders at most, up to MaxPage; 0 means that.
	Limit int
	// Body asks for the orders' bodies.
	Body bool
}

// Listed is an order in a list.
type Listed struct {
	// Entry is its place in the stream; Cursor is what [Listing.After] has to be
	// for what stands behind it.
	Entry, Cursor EntryID
	// OrderID is empty if the entry was deleted by hand, or is no order.
	OrderID string
	State   State
	// Accepted is when it was taken in, by Redis's wall clock; Finished when it
	// came to its end, zero before.
	Accepted, Finished time.Time
	// Attempts counts the calls handed out for it; LastOutcome and LastStatus are
	// of the last one that ended.
	Attempts    int
	LastOutcome Outcome
	LastStatus  int
	// Place is where a waiting order stands.
	Place Place
	// Due is how long a parked order has to wait yet; 0 if it may be taken now.
	Due time.Duration
	// Consumer has it in flight; empty if nobody does.
	Consumer      string
	ConsumerAlive bool
	// Idle is how long ago it was taken or parked, by Redis's wall clock.
	Idle time.Duration
	// Reason is why a dead one died, as [DeadLetter.Cause] says it.
	Reason string
	// Body is the document, if it was asked for and is still there.
	Body []byte
}

// List gives a page of the orders that are not finished, oldest first, in one
// script that reads only: all of a page is of one moment. The last page is one
// that is shorter than the limit. For those that are finished see
// [Queue.ListFinished].
//
// Errors: [ErrUnavailable].
func (q *Queue) List(ctx context.Context, l Listing) ([]Listed, error) {
	return q.list(ctx, string(l.State), "", l)
}

// pendingBoth is what list.lua calls in flight and parked together.
const pendingBoth = "pending"

func (q *Queue) list(ctx context.Context, which, consumer string, l Listing) ([]Listed, error) {
	if l.After == (EntryID{Ms: 1<<64 - 1, Seq: 1<<64 - 1}) {
		return nil, nil // Redis takes nothing to be behind the last ID
	}
	body := "0"
	if l.Body {
		body = "1"
	}
	r, err := q.run(ctx, listScript, false, which, l.After.String(), itoa(int64(pageSize(l.Limit))), body, consumer)
	if err != nil {
		return nil, err
	}
	rows, view := r.list(), r.outlook()
	list := make([]Listed, 0, len(rows))
	for _, row := range rows {
		list = append(list, row.listed(view))
	}
	return list, r.done(rows...)
}

func pageSize(limit int) int {
	if limit <= 0 || limit > MaxPage {
		return MaxPage
	}
	return limit
}

func (r *reply) listed(view outlook) Listed {
	l := Listed{
		Entry: r.entry(), OrderID: r.text(), State: State(r.text()), Consumer: r.text(), ConsumerAlive: r.int() == 1,
		Idle: max(r.millis(), 0), Due: r.millis(), Accepted: moment(r.text()), Attempts: atoi(r.text()),
		LastOutcome: Outcome(r.text()), LastStatus: atoi(r.text()),
	}
	number := r.int()
	if body := r.text(); body != "" {
		l.Body = []byte(body)
	}
	l.Cursor = l.Entry
	if l.Accepted.IsZero() {
		l.Accepted = l.Entry.Time() // its record was lost, or it never had one
	}
	switch l.State {
	case Waiting:
		l.Place = view.place(number)
	case InFlight:
	default:
		l.Consumer = "" // a name that stands for parking
	}
	return l
}

// Pending gives a page of the orders that are in flight or parked, oldest first,
// behind the given entry: from the first if that is zero, up to limit or [MaxPage] of
// them. A consumer's name gives only what it has ("parked" what is parked). It reads
// only; the last page is one that is shorter.
//
// Errors: [ErrUnavailable].
func (q *Queue) Pending(ctx context.Context, consumer string, after EntryID, limit int) ([]Listed, error) {
	return q.list(ctx, pendingBoth, consumer, Listing{After: after, Limit: limit})
}

// Holders tells how many orders each name holds by the stream's own account
// (XPENDING): the consumers', and names that are not registered any more. Parked
// orders are nobody's.
//
// Errors: [ErrUnavailable].
func (q *Queue) Holders(ctx context.Context) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("list holders", err)
	}
	names, _, err := pendingSummary(rdb.Do(ctx, rdb.B().Xpending().Key(q.keys.stream).Group(group).Build()))
	delete(names, parkingName)
	return names, wrap("list holders", err)
}
