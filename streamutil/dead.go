package streamutil

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// Why an order was set aside. The outcome that made it a dead letter is a
// reason as well: rejected; failed, unavailable or uncertain after too many
// strikes; uncertain at once, where that was asked for.
const (
	// ReasonPoison: its consumers died while they had it, [MaxDeaths] times.
	ReasonPoison = "poison"
	// ReasonUndecodable: the entry is no order.
	ReasonUndecodable = "undecodable"
	// ReasonDuplicate: an entry added by hand beside the order's own.
	ReasonDuplicate = "duplicate"
	// ReasonVanished: the entry was deleted by hand. There is no letter of it.
	ReasonVanished = "vanished"
)

// DeadLetter is an order set aside for a person.
type DeadLetter struct {
	// ID is the letter's own place among the dead letters.
	ID EntryID
	// OrderID and Body are the order's; of an undecodable entry what there was.
	OrderID string
	Body    []byte
	// Reason is why it was set aside: an outcome or one of the Reason constants.
	Reason string
	// Status and Answer are the partner's last; 0 and empty without one.
	Status   int
	Answer   string
	Attempts int
	// Entry is where the order was in the stream.
	Entry EntryID
	// Raw is, of an undecodable entry, all that was in it, in JSON.
	Raw string
	// Trace is the submitting request's W3C traceparent, or empty.
	Trace string
}

// Time is when the order was set aside, by Redis's wall clock.
func (l DeadLetter) Time() time.Time { return l.ID.Time() }

// Cause names what went wrong, alike for letters that went wrong alike: the
// reason, and the HTTP status where there is one, as in "rejected 422".
func (l DeadLetter) Cause() string {
	if l.Status == 0 {
		return l.Reason
	}
	return l.Reason + " " + strconv.Itoa(l.Status)
}

// DeadLetters lists up to limit dead letters after the given one, oldest first
// (XRANGE); from the first if that is zero.
//
// Errors: [ErrUnavailable].
func (q *Queue) DeadLetters(ctx context.Context, after EntryID, limit int) ([]DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("list dead letters", err)
	}
	entries, err := rdb.Do(ctx, rdb.B().Xrange().Key(q.keys.dead).Start("("+after.String()).End("+").Count(int64(limit)).Build()).AsXRange()
	if err != nil {
		return nil, wrap("list dead letters", err)
	}
	letters := make([]DeadLetter, 0, len(entries))
	for _, e := range entries {
		letters = append(letters, deadLetter(e))
	}
	return letters, nil
}

func deadLetter(e rueidis.XRangeEntry) DeadLetter {
	f := e.FieldValues
	l := DeadLetter{
		OrderID: f["id"], Body: []byte(f["body"]), Reason: f["reason"], Status: atoi(f["status"]), Answer: f["answer"],
		Attempts: atoi(f["attempts"]), Raw: f["raw"], Trace: f["trace"],
	}
	l.ID, _ = ParseEntryID(e.ID) // Redis wrote it
	l.Entry, _ = ParseEntryID(f["entry"])
	return l
}

// DeadLetterOf finds the dead letter of an order. The error is [ErrNotFound] if
// it has none, or matches [ErrUnavailable].
func (q *Queue) DeadLetterOf(ctx context.Context, orderID string) (DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return DeadLetter{}, wrap("find dead letter", err)
	}
	id, err := rdb.Do(ctx, rdb.B().Hget().Key(q.keys.order+orderID).Field("letter").Build()).ToString()
	if isNil(err) {
		return DeadLetter{}, ErrNotFound
	}
	if err != nil {
		return DeadLetter{}, wrap("find dead letter", err)
	}
	entries, err := rdb.Do(ctx, rdb.B().Xrange().Key(q.keys.dead).Start(id).End(id).Build()).AsXRange()
	if err != nil {
		return DeadLetter{}, wrap("find dead letter", err)
	}
	if len(entries) == 0 {
		return DeadLetter{}, ErrNotFound
	}
	return deadLetter(entries[0]), nil
}

// Requeue lets a dead letter's order wait again, at the end of the queue, as if
// it had never been tried. It returns the order's new entry.
//
// Errors: [ErrNotFound] (no such letter), [ErrConflict] (no order can be had
// from it, or the order lives on without it), [ErrMemory], [ErrUnavailable].
func (q *Queue) Requeue(ctx context.Context, letter EntryID, by Act) (EntryID, error) {
	r, err := q.run(ctx, requeueScript, true, q.args(by.Who, by.Why, letter.String())...)
	if err != nil {
		return EntryID{}, err
	}
	switch r.text() {
	case "none":
		return EntryID{}, ErrNotFound
	case "conflict":
		return EntryID{}, ErrConflict
	}
	id := r.entry()
	return id, r.done()
}

// Drop removes a dead letter that a person has dealt with; with delivered, the
// partner has the order after all. Its record stays for the retention.
//
// Errors: [ErrNotFound], [ErrUnavailable].
func (q *Queue) Drop(ctx context.Context, letter EntryID, delivered bool, by Act) error {
	has := "0"
	if delivered {
		has = "1"
	}
	r, err := q.run(ctx, dropScript, true, q.args(by.Who, by.Why, letter.String(), has, ms(q.cfg.Retention))...)
	if err != nil {
		return err
	}
	if r.text() == "none" {
		return ErrNotFound
	}
	return r.done()
}
