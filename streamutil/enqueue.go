package streamutil

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// NewOrder is an order to be accepted.
type NewOrder struct {
	// ID is the shop's order id: 1 to 128 of A-Z a-z 0-9 . _ : - beginning with
	// a letter or digit. The caller checks it.
	ID string
	// Body is kept and sent byte for byte.
	Body []byte
	// TraceParent is the submitting request's W3C traceparent, or empty.
	TraceParent string
}

// Receipt says what became of a submission.
type Receipt struct {
	Entry EntryID
	State State
	// Duplicate is true if the same order was known before.
	Duplicate bool
	Place     Place
}

// Place is where a waiting order stands.
type Place struct {
	// Position is 1 for the next order to be taken; 0 means it is not waiting.
	// Cancelled orders ahead may still count.
	Position int64
	// Known is whether there is an estimate: the pace must be known.
	Known bool
	// Wait is about how long until the call starts.
	Wait time.Duration
	// At is that moment by Redis's wall clock.
	At time.Time
}

// Enqueue accepts an order (XADD), unless the same one is known: then it gives
// the first submission's entry and present state. Safe to repeat.
//
// Errors: [ErrConflict] (with the receipt of the order that has the id),
// [ErrFull], [ErrMemory], [ErrUnavailable], [ErrNotConfirmed].
func (q *Queue) Enqueue(ctx context.Context, o NewOrder) (Receipt, error) {
	sum := sha256.Sum256(o.Body)
	r, err := q.run(ctx, enqueueScript, true, o.ID, string(o.Body),
		base64.RawStdEncoding.EncodeToString(sum[:16]), o.TraceParent, itoa(q.cfg.MaxBacklog))
	if err != nil {
		return Receipt{}, err
	}
	status := r.text()
	if status == "full" {
		return Receipt{}, ErrFull
	}
	receipt := Receipt{Entry: r.entry(), State: State(r.text()), Duplicate: status == "duplicate"}
	switch status {
	case "conflict":
		return receipt, ErrConflict
	case "accepted", "duplicate":
		receipt.Place = r.place()
		return receipt, r.done()
	}
	return Receipt{}, fmt.Errorf("enqueue: unknown status %q", status)
}

func (r *reply) entry() EntryID {
	text := r.text()
	if r.err != nil {
		return EntryID{}
	}
	id, err := ParseEntryID(text)
	r.fail(err)
	return id
}

// place reads position, interval, hold left and Redis's wall clock.
func (r *reply) place() Place {
	p := Place{Position: r.int()}
	interval, hold := r.micros(), r.millis()
	now := time.UnixMilli(r.int())
	if p.Position > 0 && interval >= 0 {
		p.Known = true
		p.Wait = hold + time.Duration(p.Position-1)*interval
		p.At = now.Add(p.Wait)
	}
	return p
}
