package streamutil

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// importChunk is how many orders one call puts in: few enough that nobody else
// waits for Redis.
const importChunk = 20

// ImportResult is what became of an order that was to be put in.
type ImportResult string

// What can become of an order in [Queue.Import].
const (
	// ImportPut: it is in the queue now.
	ImportPut ImportResult = "put"
	// ImportKnown: the queue knew it, and leaves it as it is.
	ImportKnown ImportResult = "known"
	// ImportEnded: it waited, and counts as delivered from now on.
	ImportEnded ImportResult = "ended"
	// ImportConflict: the queue knows another order by this id, or something is kept
	// under it that is no record.
	ImportConflict ImportResult = "conflict"
)

// Imported is what [Queue.Import] says of one order.
type Imported struct {
	Result ImportResult
	// State is the one that the queue has it in, if it knew it.
	State State
	// Err is nil, or matches [ErrMemory] or [ErrUnavailable]: nothing was done.
	Err error
}

// Import puts orders in, each once, in their order, with all that is known of
// them: those that wait go to the end of the queue, whatever its bound; dead ones to
// the dead letters; of the finished ones it is known that they are. What the queue
// knows stays as it is, but a delivered one that waits is not sent, and see
// [Copy].Undo. Parked ones and those in flight count as waiting. It says what became
// of those that it came to: after one that failed no other is put in, so that a
// repetition keeps the order. Safe to repeat.
//
// Errors: [ErrUnavailable], [ErrNotConfirmed].
func (q *Queue) Import(ctx context.Context, copies []Copy, by Act) ([]Imported, error) {
	var all []Imported
	for len(copies) > 0 {
		n := q.importable(copies)
		args := q.args(by.Who, by.Why, ms(q.cfg.Retention), "", "0")
		for _, c := range copies[:n] {
			args = append(args, q.importArgs(c)...)
		}
		r, err := q.run(ctx, importScript, true, args...)
		if err != nil {
			return all, err
		}
		failed := false
		for range n {
			one := r.nested().imported()
			failed = failed || one.Err != nil
			all = append(all, one)
		}
		if err := r.done(); err != nil || failed {
			return all, err
		}
		copies = copies[n:]
	}
	return all, nil
}

// importable is how many of them, at least one, make a call.
func (q *Queue) importable(copies []Copy) int {
	size := 0
	for i, c := range copies[:min(len(copies), importChunk)] {
		if size += len(c.Body) + len(c.Raw); i > 0 && size > chunkBytes {
			return i
		}
	}
	return min(len(copies), importChunk)
}

func (q *Queue) importArgs(c Copy) []string {
	state := string(c.State)
	switch {
	case c.Mark != "":
		state = string(Dead)
	case c.Dropped:
		state = "dropped"
	case c.State == Parked, c.State == InFlight:
		state = string(Waiting)
	}
	hash := c.BodyHash
	if hash == "" && c.Body != nil && c.Mark == "" {
		hash = bodyHash(c.Body)
	}
	undo := ""
	if c.Undo {
		undo = "1"
	}
	status := ""
	if c.Status != 0 {
		status = strconv.Itoa(c.Status)
	}
	return []string{
		c.Name(), state, c.OrderID, string(c.Body), hash, c.TraceParent, unixMilli(c.Accepted), unixMilli(c.Finished),
		strconv.Itoa(c.Attempts), string(c.Outcome), status, c.Answer, c.Reason, c.Entry.String(), c.Raw,
		ms(cmp.Or(c.Left, q.cfg.Retention)), undo,
	}
}

// unixMilli is how records keep moments, which are for people; empty is now.
func unixMilli(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return itoa(t.UnixMilli())
}

func (r *reply) imported() Imported {
	var i Imported
	switch status := r.text(); status {
	case "failed":
		text := r.text()
		i.Err = wrap(r.script, &redisError{kind: kindOf(text), err: errors.New(text)})
	case string(ImportKnown), string(ImportConflict):
		i.Result, i.State = ImportResult(status), State(r.text())
	case string(ImportPut), string(ImportEnded):
		i.Result = ImportResult(status)
	default:
		i.Err = fmt.Errorf("import: unknown status %q", status)
	}
	if err := r.done(); err != nil {
		i.Err = err
	}
	return i
}

// NoteImport writes into the queue's log that so many orders are about to be put in,
// or that so many were.
//
// Errors: [ErrUnavailable].
func (q *Queue) NoteImport(ctx context.Context, ended bool, orders int, by Act) error {
	state := "begun"
	if ended {
		state = "ended"
	}
	_, err := q.run(ctx, importScript, false, q.args(by.Who, by.Why, ms(q.cfg.Retention), state, strconv.Itoa(orders))...)
	return err
}
