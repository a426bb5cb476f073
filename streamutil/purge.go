package streamutil

import (
	"context"
	"slices"
	"strconv"
)

// purgeChunk is how many entries one call takes out: few enough that nobody else
// waits for Redis.
const purgeChunk = 10

// StoredEntry is an entry as it lies in the stream, an order's or what a hand has
// put there.
type StoredEntry struct {
	Entry   EntryID
	OrderID string
	Body    []byte
	// Fields is all that is in it, the two above included.
	Fields map[string]string
}

// Entries lists up to limit entries after the given one, oldest first (XRANGE);
// from the first if that is zero. All of them are unfinished.
//
// Errors: [ErrUnavailable].
func (q *Queue) Entries(ctx context.Context, after EntryID, limit int) ([]StoredEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("list entries", err)
	}
	found, err := rdb.Do(ctx, rdb.B().Xrange().Key(q.keys.stream).Start("("+after.String()).End("+").Count(int64(limit)).Build()).AsXRange()
	if err != nil {
		return nil, wrap("list entries", err)
	}
	entries := make([]StoredEntry, 0, len(found))
	for _, e := range found {
		id, _ := ParseEntryID(e.ID) // Redis wrote it
		entries = append(entries, StoredEntry{
			Entry: id, OrderID: e.FieldValues["id"], Body: []byte(e.FieldValues["body"]), Fields: e.FieldValues,
		})
	}
	return entries, nil
}

// LastEntry is the newest entry of the queue (XREVRANGE); zero if it is empty.
//
// Errors: [ErrUnavailable].
func (q *Queue) LastEntry(ctx context.Context) (EntryID, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return EntryID{}, wrap("find the last entry", err)
	}
	found, err := rdb.Do(ctx, rdb.B().Xrevrange().Key(q.keys.stream).End("+").Start("-").Count(1).Build()).AsXRange()
	if err != nil || len(found) == 0 {
		return EntryID{}, wrap("find the last entry", err)
	}
	id, _ := ParseEntryID(found[0].ID) // Redis wrote it
	return id, nil
}

// held says which entries of a range, its ends included, are in flight or parked
// (XPENDING); the others wait. The range has at most 1,000 of them.
//
// Errors: [ErrUnavailable].
func (q *Queue) held(ctx context.Context, from, to EntryID) (map[EntryID]State, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("find who holds entries", err)
	}
	rows, err := rdb.Do(ctx, rdb.B().Xpending().Key(q.keys.stream).Group(group).Start(from.String()).End(to.String()).Count(1000).Build()).ToArray()
	if noGroup(err) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap("find who holds entries", err)
	}
	held := make(map[EntryID]State, len(rows))
	for _, row := range rows {
		r := &reply{script: "pending", values: arrayOf(row)}
		id, state := r.entry(), InFlight
		if r.text() == parkingName {
			state = Parked
		}
		if r.err != nil {
			return nil, wrap("find who holds entries", r.err)
		}
		held[id] = state
	}
	return held, nil
}

// Purged is what became of an entry that was to be purged.
type Purged string

// What can become of an entry in [Queue.Purge].
const (
	PurgeCancelled Purged = "cancelled" // the order is cancelled
	PurgeRemoved   Purged = "removed"   // the entry was no order's own
	PurgeInFlight  Purged = "in_flight" // it is being sent: nothing was done
	PurgeGone      Purged = "gone"      // it was finished meanwhile
)

// Purge takes entries out of the queue that nobody is sending, each as [Queue.Cancel]
// does, a few at a time. It says what became of those that it came to before an error.
//
// Errors: [ErrUnavailable], [ErrNotConfirmed].
func (q *Queue) Purge(ctx context.Context, entries []EntryID, by Act) ([]Purged, error) {
	var all []Purged
	for part := range slices.Chunk(entries, purgeChunk) {
		args := q.args(by.Who, by.Why, ms(q.cfg.Retention), "", "0")
		for _, id := range part {
			args = append(args, id.String())
		}
		r, err := q.run(ctx, purgeScript, true, args...)
		if err != nil {
			return all, err
		}
		for range part {
			all = append(all, Purged(r.text()))
		}
		if err := r.done(); err != nil {
			return all, err
		}
	}
	return all, nil
}

// NotePurge writes into the queue's log that a purge of so many entries begins, or
// that it ended with so many.
//
// Errors: [ErrUnavailable].
func (q *Queue) NotePurge(ctx context.Context, ended bool, entries int, by Act) error {
	state := "begun"
	if ended {
		state = "ended"
	}
	_, err := q.run(ctx, purgeScript, false, q.args(by.Who, by.Why, ms(q.cfg.Retention), state, strconv.Itoa(entries))...)
	return err
}
