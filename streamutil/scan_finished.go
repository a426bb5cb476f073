package streamutil

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"
)

// ListFinished gives a page of the orders in a final state, newest first: the
// dead from their letters, the delivered and the cancelled as far as the log
// reaches. It looks through the log until the page is full, [LogPage] lines at
// a time. There are no bodies but of the dead.
//
// Errors: [ErrUnavailable].
func (q *Queue) ListFinished(ctx context.Context, l Listing) ([]Listed, error) {
	switch l.State {
	case Dead:
		return q.listDead(ctx, l)
	case Delivered, Cancelled:
		return q.listFromLog(ctx, l)
	default:
		return nil, fmt.Errorf("list finished orders: %q is no final state", l.State)
	}
}

func (q *Queue) listDead(ctx context.Context, l Listing) ([]Listed, error) {
	letters, err := q.DeadLettersBack(ctx, l.After, pageSize(l.Limit))
	if err != nil {
		return nil, err
	}
	orders := make([]string, len(letters))
	for i, d := range letters {
		orders[i] = d.OrderID
	}
	records, err := q.readRecords(ctx, orders, "letter", "accepted", "outcome")
	if err != nil {
		return nil, err
	}
	list := make([]Listed, 0, len(letters))
	for i, d := range letters {
		dead := Listed{
			Entry: d.Entry, Cursor: d.ID, OrderID: d.OrderID, State: Dead, Accepted: d.Entry.Time(), Finished: d.Time(),
			Attempts: d.Attempts, LastStatus: d.Status, Reason: d.Cause(),
		}
		// An order that was sent again was accepted before it got this entry.
		if rec := records[i]; rec != nil && rec[0] == d.ID.String() {
			dead.LastOutcome = Outcome(rec[2])
			if at := moment(rec[1]); !at.IsZero() {
				dead.Accepted = at
			}
		}
		if l.Body {
			dead.Body = d.Body
		}
		list = append(list, dead)
	}
	return list, nil
}

// DeadLettersBack lists up to limit dead letters before the given one, newest
// first (XREVRANGE); from the newest if that is zero.
//
// Errors: [ErrUnavailable].
func (q *Queue) DeadLettersBack(ctx context.Context, before EntryID, limit int) ([]DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("list dead letters", err)
	}
	entries, err := rdb.Do(ctx, rdb.B().Xrevrange().Key(q.keys.dead).End(upTo(before)).Start("-").Count(int64(limit)).Build()).AsXRange()
	letters := make([]DeadLetter, 0, len(entries))
	for _, e := range entries {
		letters = append(letters, deadLetter(e))
	}
	return letters, wrap("list dead letters", err)
}

// listFromLog looks for the lines that ended an order. An order that went on
// after such a line, as a cancelled one that was delivered after all, is not
// counted by it.
func (q *Queue) listFromLog(ctx context.Context, l Listing) ([]Listed, error) {
	var list []Listed
	seen := map[string]bool{}
	limit := pageSize(l.Limit)
	for before := l.After; len(list) < limit; {
		page, err := q.LogBack(ctx, before, LogPage)
		if err != nil {
			return nil, err
		}
		var ended []Listed
		for _, line := range page {
			before = line.ID
			if line.ends(l.State) && !seen[line.OrderID] {
				seen[line.OrderID] = true
				ended = append(ended, Listed{
					Cursor: line.ID, OrderID: line.OrderID, State: l.State, Finished: line.Time,
					Attempts: line.Attempt, LastOutcome: line.Outcome, LastStatus: line.Status,
				})
			}
		}
		if ended, err = q.stillSo(ctx, ended); err != nil {
			return nil, err
		}
		list = append(list, ended...)
		if len(page) < LogPage {
			break
		}
	}
	return list[:min(len(list), limit)], nil
}

// ends reports whether with this line an order came to this state.
func (e LogEntry) ends(s State) bool {
	switch e.What {
	case "attempt", "drop":
		return e.State == s
	case "cancel":
		return s == Cancelled
	}
	return false
}

// stillSo adds what the orders' records know, and leaves out those that are in
// another state by now. Of an order whose record has expired the log is all
// there is.
func (q *Queue) stillSo(ctx context.Context, list []Listed) ([]Listed, error) {
	orders := make([]string, len(list))
	for i, l := range list {
		orders[i] = l.OrderID
	}
	records, err := q.readRecords(ctx, orders, "state", "entry", "accepted", "attempts", "outcome", "status")
	if err != nil {
		return nil, err
	}
	var same []Listed
	for i, l := range list {
		if f := records[i]; f != nil && f[0] != "" {
			if State(f[0]) != l.State {
				continue
			}
			l.Entry, _ = ParseEntryID(f[1]) // zero if someone wrote over it
			l.Accepted, l.Attempts = moment(f[2]), atoi(f[3])
			l.LastOutcome, l.LastStatus = Outcome(f[4]), atoi(f[5])
		}
		same = append(same, l)
	}
	return same, nil
}

// readRecords reads these fields of orders' records, empty where there is none. What
// a hand has put in place of a record is nil.
func (q *Queue) readRecords(ctx context.Context, orders []string, fields ...string) ([][]string, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("read records", err)
	}
	cmds := make(rueidis.Commands, 0, len(orders))
	for _, order := range orders {
		cmds = append(cmds, rdb.B().Hmget().Key(q.keys.order+order).Field(fields...).Build())
	}
	records := make([][]string, len(orders))
	for i, r := range rdb.DoMulti(ctx, cmds...) {
		found, err := r.AsStrSlice()
		if _, junk := rueidis.IsRedisErr(err); err != nil && !junk {
			return nil, wrap("read records", err)
		}
		if len(found) == len(fields) {
			records[i] = found
		}
	}
	return records, nil
}
