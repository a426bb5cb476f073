package streamutil

import (
	"context"
	"errors"
	"time"

	"github.com/redis/rueidis"
)

// PendingEntry is an order that was taken and is not finished.
type PendingEntry struct {
	Entry   EntryID
	OrderID string
	// Consumer has it in flight; empty if it is parked.
	Consumer      string
	ConsumerAlive bool
	Parked        bool
	// Due is how long a parked entry has to wait yet; 0 if it may be taken now.
	Due time.Duration
	// Idle is how long ago it was taken or parked, by Redis's wall clock.
	Idle        time.Duration
	Attempts    int
	LastOutcome Outcome
	LastStatus  int
}

// Pending lists up to limit entries that are in flight or parked, oldest first;
// those of one consumer, if it is named ("parked" names the parked ones). It
// reads only (XPENDING).
//
// Errors: [ErrUnavailable].
func (q *Queue) Pending(ctx context.Context, consumer string, limit int) ([]PendingEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	snapshot, err := q.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("list pending", err)
	}
	page := rdb.B().Xpending().Key(q.keys.stream).Group(group).Start("-").End("+").Count(int64(limit))
	cmd := page.Build()
	if consumer != "" {
		cmd = rdb.B().Xpending().Key(q.keys.stream).Group(group).Start("-").End("+").Count(int64(limit)).Consumer(consumer).Build()
	}
	rows, err := rdb.Do(ctx, cmd).ToArray()
	if noGroup(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("list pending", err)
	}
	alive := map[string]bool{}
	for _, c := range snapshot.Consumers {
		alive[c.Name] = c.Alive
	}
	list := make([]PendingEntry, 0, len(rows))
	for _, row := range rows {
		r := &reply{script: "pending", values: arrayOf(row)}
		p := PendingEntry{Entry: r.entry(), Consumer: r.text(), Idle: r.millis()}
		if r.err != nil {
			return nil, wrap("list pending", r.err)
		}
		p.ConsumerAlive = alive[p.Consumer]
		if p.Parked = p.Consumer == parkingName; p.Parked {
			p.Consumer = ""
		}
		list = append(list, p)
	}
	return list, wrap("list pending", q.describe(ctx, rdb, list))
}

// describe adds what the entries and the orders' records know.
func (q *Queue) describe(ctx context.Context, rdb rueidis.Client, list []PendingEntry) error {
	if len(list) == 0 {
		return nil
	}
	cmds := make(rueidis.Commands, 0, len(list))
	for _, p := range list {
		id := p.Entry.String()
		cmds = append(cmds, rdb.B().Xrange().Key(q.keys.stream).Start(id).End(id).Build())
	}
	for i, r := range rdb.DoMulti(ctx, cmds...) {
		entries, err := r.AsXRange()
		if err != nil {
			return err
		}
		if len(entries) == 1 {
			list[i].OrderID = entries[0].FieldValues["id"]
		}
	}
	for i := range list {
		rec, err := q.Lookup(ctx, list[i].OrderID)
		if errors.Is(err, ErrNotFound) {
			continue // finished between the two looks
		}
		if err != nil {
			return err
		}
		list[i].Attempts, list[i].LastOutcome, list[i].LastStatus = rec.Attempts, rec.LastOutcome, rec.LastStatus
		if !rec.Due.IsZero() {
			list[i].Due = max(time.Until(rec.Due), 0)
		}
	}
	return nil
}

func arrayOf(m rueidis.RedisMessage) []rueidis.RedisMessage {
	values, _ := m.ToArray() // an empty one fails in the reading
	return values
}
