package streamutil

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
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
	// Durability is what the write has reached: what was asked for, and of
	// replicas as many as had it when the answer was due.
	Durability Durability
}

// Enqueue accepts an order (XADD), unless the same one is known: then it gives
// the first submission's entry and present state. Safe to repeat.
//
// Orders that are submitted at the same time travel together. If ctx ends before
// the answer is there the order may still be accepted.
//
// Errors: [ErrConflict] (with the receipt of the order that has the id),
// [ErrFull], [ErrMemory], [ErrUnavailable], [ErrNotConfirmed].
func (q *Queue) Enqueue(ctx context.Context, o NewOrder) (Receipt, error) {
	got := q.gathering.submit(ctx, o, q.enqueue)
	return got.Receipt, got.Err
}

// enqueue runs the script once for all of the orders.
func (q *Queue) enqueue(ctx context.Context, places bool, orders ...NewOrder) []Submission {
	args := make([]string, 0, 2+4*len(orders))
	args = append(args, itoa(q.cfg.MaxBacklog), "")
	if places {
		args[1] = "1"
	}
	for _, o := range orders {
		args = append(args, o.ID, string(o.Body), bodyHash(o.Body), o.TraceParent)
	}
	got := make([]Submission, len(orders))
	r, err := q.run(ctx, enqueueScript, true, args...)
	if err != nil {
		for i := range got {
			got[i].Err = err
		}
		return got
	}
	view := r.outlook()
	for i := range got {
		got[i].Receipt, got[i].Err = r.nested().receipt(view)
	}
	return got
}

// bodyHash is what records keep of a body, to tell it from another.
func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawStdEncoding.EncodeToString(sum[:16])
}

// receipt reads what enqueue.lua says of one order.
func (r *reply) receipt(view outlook) (Receipt, error) {
	status := r.text()
	switch status {
	case "full":
		return Receipt{}, ErrFull
	case "failed":
		text := r.text()
		return Receipt{}, wrap(r.script, &redisError{kind: kindOf(text), err: errors.New(text)})
	}
	receipt := Receipt{
		Entry: r.entry(), State: State(r.text()), Duplicate: status == "duplicate", Durability: r.reached,
	}
	switch status {
	case "conflict":
		return receipt, ErrConflict
	case "accepted", "duplicate":
		if number := r.int(); receipt.State == Waiting {
			receipt.Place = view.place(number)
		}
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
