package streamutil

import (
	"context"
	"errors"
	"slices"
)

// find finds what is known under an id that is no known order's: in the stream,
// in the log, among the dead letters. That there is nothing is no error yet: the
// log may still tell of an order whose record has expired.
func (q *Queue) find(ctx context.Context, id string, s *Story) error {
	entry, err := ParseEntryID(id)
	if err != nil {
		return q.findLetter(ctx, s, func(l DeadLetter) bool { return l.OrderID == id })
	}
	if entry == (EntryID{}) { // no entry's; what has none would be taken for it
		return nil
	}
	held, err := q.List(ctx, Listing{After: entry.Before(), Limit: 1})
	if err != nil {
		return err
	}
	if len(held) == 1 && held[0].Entry == entry {
		s.OrderID, s.Entry = held[0].OrderID, entry
		if s.Record, err = q.recordOf(ctx, s.OrderID); s.Record != nil && s.Record.Entry != entry {
			s.Record, s.Stray = nil, true
		}
		return err
	}
	for l, err := range q.history(ctx, EntryID{}) {
		if err != nil {
			return err
		}
		if l.Entry == entry && l.OrderID != "" && l.Reason != ReasonDuplicate {
			s.OrderID, s.Entry = l.OrderID, entry
			s.Record, err = q.recordOf(ctx, l.OrderID)
			return err
		}
	}
	return q.findLetter(ctx, s, func(l DeadLetter) bool { return l.ID == entry || l.Entry == entry })
}

// recordOf is an order's record; nil if there is none.
func (q *Queue) recordOf(ctx context.Context, orderID string) (*Record, error) {
	rec, err := q.Lookup(ctx, orderID)
	if errors.Is(err, ErrNotFound) {
		return nil, nil //nolint:nilnil // that there is none is an answer
	}
	return &rec, err
}

// letterPage is how many dead letters are looked at at once.
const letterPage = 100

// findLetter looks through the dead letters for one that matches, and takes the
// order's record with it if the letter is the order's own.
func (q *Queue) findLetter(ctx context.Context, s *Story, match func(DeadLetter) bool) error {
	for after := (EntryID{}); ; {
		page, err := q.DeadLetters(ctx, after, letterPage)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(page, match); i >= 0 {
			l := page[i]
			s.OrderID, s.Entry, s.Letter, s.Stray = l.OrderID, l.Entry, &l, l.Reason == ReasonDuplicate
			own, err := q.DeadLetterOf(ctx, l.OrderID)
			if err == nil && own.ID == l.ID {
				s.Record, err = q.recordOf(ctx, l.OrderID)
			}
			if errors.Is(err, ErrNotFound) {
				err = nil
			}
			return err
		}
		if len(page) < letterPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// linesOf collects what the log tells of an order, oldest first; of an entry
// beside the order's own only what names that.
func (q *Queue) linesOf(ctx context.Context, s Story) ([]LogEntry, error) {
	var lines []LogEntry
	for l, err := range q.history(ctx, EntryID{}) {
		if err != nil {
			return nil, err
		}
		byID := s.OrderID != "" && l.OrderID == s.OrderID && !s.Stray
		if byID || !s.Entry.IsZero() && l.Entry == s.Entry {
			lines = append(lines, l)
		}
	}
	slices.Reverse(lines)
	return lines, nil
}
