package ops

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// look opens the queue for a command that asks it several things. What it needs
// for that it shares with those that change something.
func look(cmd *cobra.Command, open Open, do func(context.Context, *change) error) error {
	desk, err := open()
	if err != nil {
		return err
	}
	defer desk.Close()
	return do(cmd.Context(), &change{view: viewOf(cmd), queue: desk.Queue})
}

// pages goes through what page gives, behind a cursor, until as much is shown as
// may be. It returns the cursor to go on behind, and whether there is more.
func pages[T any](limit, most int, cursor func(T) streamutil.EntryID, after streamutil.EntryID,
	page func(after streamutil.EntryID, n int) ([]T, error), add func(T) error,
) (streamutil.EntryID, bool, error) {
	for shown := 0; ; {
		n := min(limit-shown, most-1) + 1 // one more, to see whether there is
		list, err := page(after, n)
		if err != nil {
			return after, false, err
		}
		for _, item := range list {
			if shown == limit {
				return after, true, nil
			}
			if err := add(item); err != nil {
				return after, false, err
			}
			after = cursor(item)
			shown++
		}
		if len(list) < n {
			return after, false, nil
		}
	}
}

// cursorOf reads what --after was given; "" begins.
func cursorOf(cmd *cobra.Command, after string) (streamutil.EntryID, error) {
	if after == "" {
		return streamutil.EntryID{}, nil
	}
	id, err := streamutil.ParseEntryID(after)
	if err != nil {
		return id, usagef("%s: --after: %v, as the page before it named it", cmd.CommandPath(), err)
	}
	return id, nil
}

// known is a value that JSON shows as null where there is none.
func known[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

// knownTime is a moment that JSON shows in UTC, as null where there is none.
func knownTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// about shows a moment that is only estimated: of this day without its date.
func (v view) about(t, now time.Time) string {
	if v.utc {
		t, now = t.UTC(), now.UTC()
	}
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04 MST")
	}
	return t.Format("2006-01-02 15:04 MST")
}

// nextPage tells how to go on behind what was shown.
func (c *change) nextPage(command string, after streamutil.EntryID) {
	c.say("there are more; the next page: %s %s --after %s", c.again, command, after)
}

// flagText is how a flag is written; nothing if it was not given.
func flagText(name, value string) string {
	if value == "" {
		return ""
	}
	return " --" + name + " " + quoted(value)
}

// text is what a pointer of JSON points to; "" for null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
