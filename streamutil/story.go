package streamutil

import (
	"context"
	"errors"
)

// Story is all that is known of one order, or of one entry that is no order's own.
type Story struct {
	// OrderID and Entry name it; OrderID is empty of an entry that is no order,
	// Entry zero where only the log still tells of the order.
	OrderID string
	Entry   EntryID
	// State is where it is; of an order that only the log still tells of, the last
	// state that it tells of, empty if none.
	State State
	// Record is what the queue keeps of the order; nil once that has expired.
	Record *Record
	// Stray is whether this is an entry that was added by hand beside the order's
	// own: then all else is of this entry alone, and there is no record.
	Stray bool
	// Held is the order as it stands in the stream: who has it, until when it is
	// parked; nil once it has left.
	Held *Listed
	// Letter is its dead letter; nil without one.
	Letter *DeadLetter
	// Body is the document, while it is in the stream or in a dead letter.
	Body []byte
	// Lines is what the log tells of the order, oldest first.
	Lines []LogEntry
}

// Story tells all about one order, named by its id, or by an entry or a dead
// letter of it (MS-SEQ); an order's id goes before. What left the stream is found
// by its entry as far as the log and the dead letters reach. It reads a page at
// a time, and no more than the log and the dead letters hold.
//
// Errors: [ErrNotFound] if nothing tells of it, [ErrUnavailable].
func (q *Queue) Story(ctx context.Context, id string) (Story, error) {
	s := Story{OrderID: id}
	rec, err := q.Lookup(ctx, id)
	switch {
	case err == nil:
		s.Record = &rec
	case !errors.Is(err, ErrNotFound):
		return Story{}, err
	default:
		if err := q.find(ctx, id, &s); err != nil {
			return Story{}, err
		}
	}
	if s.Record != nil {
		s.OrderID, s.Entry, s.State = s.Record.OrderID, s.Record.Entry, s.Record.State
	}
	if err := q.addPlace(ctx, &s); err != nil {
		return Story{}, err
	}
	if s.Lines, err = q.linesOf(ctx, s); err != nil {
		return Story{}, err
	}
	return s, s.conclude()
}

// addPlace adds what the stream and the dead letters hold of an order.
func (q *Queue) addPlace(ctx context.Context, s *Story) error {
	if !s.Entry.IsZero() && !s.State.Final() {
		held, err := q.List(ctx, Listing{After: s.Entry.Before(), Limit: 1, Body: true})
		if err != nil {
			return err
		}
		if len(held) == 1 && held[0].Entry == s.Entry {
			s.Held, s.Body = &held[0], held[0].Body
		}
	}
	if s.Record != nil && s.State == Dead && s.Letter == nil {
		letter, err := q.DeadLetterOf(ctx, s.OrderID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil {
			s.Letter = &letter
		}
	}
	if s.Letter != nil {
		s.Body = s.Letter.Body
	}
	return nil
}

// conclude says where an order is that has no record.
func (s *Story) conclude() error {
	switch {
	case s.State != "":
	case s.Held != nil:
		s.State = s.Held.State
	case s.Letter != nil:
		s.State = Dead
	case len(s.Lines) == 0:
		return ErrNotFound
	default:
		for _, l := range s.Lines {
			for _, end := range []State{Delivered, Dead, Cancelled} {
				if l.ends(end) {
					s.State = end
				}
			}
		}
	}
	return nil
}
