package ops

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"orderq/streamutil"
)

// result says in a word what became of one order that a change was to touch.
type result string

const (
	done     result = "done"
	planned  result = "would be done" // in a dry run
	needless result = "nothing to do"
	missing  result = "not found"
	refused  result = "refused"
)

// fate is what a change to several orders shows of each, in JSON; scripts rely
// on its keys.
type fate struct {
	// ID is what the order or dead letter was named by; of letters chosen
	// otherwise it is the letter's own.
	ID      string  `json:"id"`
	OrderID *string `json:"order_id"`
	// Was is the state before, and Cause why a dead letter became one.
	Was      *streamutil.State `json:"was"`
	Cause    *string           `json:"cause"`
	Attempts *int              `json:"attempts"`
	Result   result            `json:"result"`
	// EntryID is the order's new place in the queue.
	EntryID *streamutil.EntryID `json:"entry_id"`
	Note    *string             `json:"note"`
}

func (f *fate) becomes(r result, note string) {
	f.Result = r
	if f.Note = nil; note != "" {
		f.Note = &note
	}
}

func (f fate) cells() []string {
	name, was, note := f.ID, "", ""
	if f.OrderID != nil {
		name = *f.OrderID
	}
	if f.Was != nil {
		was = string(*f.Was)
	}
	if f.Cause != nil {
		was += ": " + *f.Cause
	}
	if f.Note != nil {
		note = *f.Note
	}
	return []string{name, orNone(was), string(f.Result), orNone(note)}
}

// tally sums up a change to several orders.
type tally struct {
	count map[result]int
	// done names the first orders that were changed, failed tells what went
	// wrong with the first that were not.
	done, failed []string
}

// tellMost is how many orders the messages after a change name.
const tellMost = 5

func (t *tally) add(f fate) {
	t.count[f.Result]++
	switch f.Result {
	case done:
		if f.OrderID != nil && len(t.done) < tellMost {
			t.done = append(t.done, *f.OrderID)
		}
	case planned, needless:
	case missing, refused:
		if text := f.ID + " " + string(f.Result); len(t.failed) < tellMost {
			if f.Note != nil {
				text = f.ID + " " + *f.Note
			}
			t.failed = append(t.failed, text)
		}
	}
}

// err is how a command ends that could not do all it was told.
func (t *tally) err() error {
	n := t.count[missing] + t.count[refused]
	if n == 0 {
		return nil
	}
	text := "not done: " + strings.Join(t.failed, "; ")
	if more := n - len(t.failed); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	if t.count[missing] > 0 {
		return &exit{code: exitNotFound, text: text}
	}
	return &exit{code: exitFailed, text: text}
}

// String counts, for people: 3 done, 1 not found.
func (t *tally) String() string {
	var parts []string
	for _, r := range []result{done, planned, needless, missing, refused} {
		if n := t.count[r]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, r))
		}
	}
	if parts == nil {
		return "nothing was there to change"
	}
	return strings.Join(parts, ", ")
}

// each changes one thing after another, and shows at once what became of it.
// What cannot be done to one does not keep it from the next; an error of do, or
// of things, ends it. In all cases it sums up what was done until then.
func each[T any](ctx context.Context, c *change, total int, things iter.Seq2[T, error], do func(context.Context, T) (fate, error)) (*tally, error) {
	t := &tally{count: map[result]int{}}
	p := newProgress(c.view)
	s := sheet[fate]{view: c.view, headings: []string{"ORDER", "WAS", "RESULT", "NOTE"}, cells: fate.cells, before: p.end}
	var stopped error
	for thing, err := range things {
		var f fate
		if err == nil {
			f, err = do(ctx, thing)
		}
		if err == nil {
			t.add(f)
			err = s.add(f)
		}
		if stopped = err; err != nil {
			break
		}
		p.show("%d of %d", sum(t.count), total)
	}
	p.end()
	n := sum(t.count)
	if n > 0 || stopped == nil { // else there is not even a heading to show
		stopped = errors.Join(stopped, s.close())
	}
	if n > 0 || stopped == nil {
		c.say("%s", t)
	}
	if stopped != nil && total > 1 {
		stopped = fmt.Errorf("stopped with %d left: %w", max(total-n, 0), stopped)
	}
	return t, stopped
}

func sum(count map[result]int) int {
	n := 0
	for _, k := range count {
		n += k
	}
	return n
}

// sequence goes through a list that is there already.
func sequence[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range list {
			if !yield(item, nil) {
				return
			}
		}
	}
}
