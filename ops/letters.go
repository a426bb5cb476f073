package ops

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"orderq/streamutil"
)

// letter is a dead letter by the name that it was asked for; found is false if
// that names none, or with unclear more than one.
type letter struct {
	name    string
	found   bool
	unclear string
	streamutil.DeadLetter
}

// absent says why nothing is done for a name that was not found.
func (l letter) absent() (result, string) {
	if l.unclear != "" {
		return refused, l.unclear
	}
	return missing, "is no dead letter"
}

// fate begins what is shown of a letter.
func (l letter) fate() fate {
	f := fate{ID: l.name}
	if l.found {
		cause := l.Cause()
		f.Was, f.Cause, f.Attempts = new(streamutil.Dead), &cause, &l.Attempts
	}
	if l.OrderID != "" {
		f.OrderID = &l.OrderID
	}
	return f
}

// letters goes through the dead letters, oldest first, a page at a time. It
// ends with upTo, so that an order that dies again meanwhile is not met again.
func (c *change) letters(ctx context.Context, upTo streamutil.EntryID) iter.Seq2[streamutil.DeadLetter, error] {
	return func(yield func(streamutil.DeadLetter, error) bool) {
		var after streamutil.EntryID
		for {
			list, err := c.deadLetters(ctx, after, page)
			if err != nil {
				yield(streamutil.DeadLetter{}, err)
				return
			}
			for _, l := range list {
				if l.ID.Compare(upTo) > 0 || !yield(l, nil) {
					return
				}
				after = l.ID
			}
			if len(list) < page {
				return
			}
		}
	}
}

func (c *change) deadLetters(ctx context.Context, after streamutil.EntryID, limit int) ([]streamutil.DeadLetter, error) {
	return call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.DeadLetter, error) {
		return q.DeadLetters(ctx, after, limit)
	})
}

// last is after every entry.
var last = streamutil.EntryID{Ms: 1<<64 - 1, Seq: 1<<64 - 1}

// batch is what a command goes through: total names, found of them letters.
type batch struct {
	total, found int
	letters      iter.Seq2[letter, error]
}

// find looks up what a command line names: an order's id, or else a letter's
// own or the entry it had. Each letter comes once.
func (c *change) find(ctx context.Context, names []string) (batch, error) {
	var list []letter
	open := map[string]int{} // where in list a name is that may be an entry's
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		found, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (streamutil.DeadLetter, error) {
			return q.DeadLetterOf(ctx, name)
		})
		if err != nil && !errors.Is(err, streamutil.ErrNotFound) {
			return batch{}, err
		}
		if _, bad := streamutil.ParseEntryID(name); err != nil && bad == nil {
			open[name] = len(list)
		}
		list = append(list, letter{name: name, found: err == nil, DeadLetter: found})
	}
	if err := c.findEntries(ctx, list, open); err != nil {
		return batch{}, err
	}
	seen, b := map[streamutil.EntryID]bool{}, batch{}
	list = slices.DeleteFunc(list, func(l letter) bool {
		if again := l.found && seen[l.ID]; again {
			return true
		}
		seen[l.ID] = true
		if l.found {
			b.found++
		}
		return false
	})
	b.total, b.letters = len(list), sequence(list)
	return b, nil
}

// findEntries looks for names among the letters' own ids and the entries. Both
// are moments of Redis's clock, so that one can be the letter of an order and
// the entry of another: then neither is meant for sure.
func (c *change) findEntries(ctx context.Context, list []letter, open map[string]int) error {
	if len(open) == 0 {
		return nil
	}
	for l, err := range c.letters(ctx, last) {
		if err != nil {
			return err
		}
		for _, id := range []streamutil.EntryID{l.ID, l.Entry} {
			at, named := open[id.String()]
			switch known := list[at]; {
			case !named || known.found && known.ID == l.ID || known.unclear != "":
			case known.found:
				unclear := fmt.Sprintf("names two letters, of orders %s and %s: give the order's id", orNone(known.OrderID), orNone(l.OrderID))
				list[at] = letter{name: known.name, unclear: unclear}
			default:
				list[at].DeadLetter, list[at].found = l, true
			}
		}
	}
	return nil
}

// selection is what --error or --all chose, counted beforehand.
type selection struct {
	count int
	upTo  streamutil.EntryID
	match func(streamutil.DeadLetter) bool
	// errors are what letters died of, those chosen or not.
	errors map[string]int
}

// choose counts the dead letters that match, as they are now.
func (c *change) choose(ctx context.Context, match func(streamutil.DeadLetter) bool) (selection, error) {
	s := selection{match: match, errors: map[string]int{}}
	p, n := newProgress(c.view), 0
	defer p.end()
	for l, err := range c.letters(ctx, last) {
		if err != nil {
			return s, err
		}
		if match(l) {
			s.count++
		}
		s.errors[l.Cause()]++
		s.upTo = l.ID
		n++
		p.show("looked at %s", several(n, "dead letter"))
	}
	return s, nil
}

// chosen goes through what choose counted.
func (c *change) chosen(ctx context.Context, s selection) iter.Seq2[letter, error] {
	return func(yield func(letter, error) bool) {
		for l, err := range c.letters(ctx, s.upTo) {
			if err != nil || s.match(l) {
				if !yield(letter{name: l.ID.String(), found: err == nil, DeadLetter: l}, err) {
					return
				}
			}
		}
	}
}

// causes lists what letters died of, for those who named none of them.
func (s selection) causes() string {
	if len(s.errors) == 0 {
		return "there are no dead letters"
	}
	return "there are: " + strings.Join(slices.Sorted(maps.Keys(s.errors)), ", ")
}
