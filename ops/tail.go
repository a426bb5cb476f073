package ops

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

const (
	// tailWait is how long tail -f waits for a line before it asks anew.
	tailWait = 5 * time.Second
	// tailAgain is how long tail -f waits after Redis did not answer.
	tailAgain = time.Second
)

func newTailCommand(open Open) *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show the last lines of the queue's log, in plain words",
		Long: "What became of each attempt, what operators did and why, and what the queue\n" +
			"noticed about itself: the last --limit lines, oldest of them first. With -f it goes\n" +
			"on with what comes until Ctrl-C, and over a restart of Redis. The log keeps the last\n" +
			"10,000 lines or so (queue.log_max).",
		Example: "  orderq tail\n  orderq tail -f\n  orderq tail --limit 1000 | grep credentials\n" +
			"  orderq tail -f -o jsonl | jq -r 'select(.outcome == \"rejected\") | .order_id'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if v := viewOf(cmd); follow && v.format == "json" {
				return usagef("tail: -f never ends, and an array would: use -o jsonl, a document a line")
			}
			return look(cmd, open, func(ctx context.Context, c *change) error { return c.tail(ctx, follow) })
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes, until Ctrl-C")
	return cmd
}

func (c *change) tail(ctx context.Context, follow bool) error {
	plain := c.view
	plain.noHeaders = true
	form := &sheet[logLine]{view: plain, cells: func(l logLine) []string { return l.cells(c.view) }}
	after, err := c.lastLines(ctx, form)
	if err != nil {
		return err
	}
	if !follow {
		return form.close()
	}
	if err := form.flush(); err != nil {
		return err
	}
	return c.follow(ctx, form, after)
}

// lastLines shows the last lines of the log and returns the last of them. It
// looks for the first one to show going back, and shows them going forward: so
// no more than a page is held, however many they are.
func (c *change) lastLines(ctx context.Context, form *sheet[logLine]) (streamutil.EntryID, error) {
	var before streamutil.EntryID
	for left := c.limit; left > 0; {
		page, err := c.logPage(ctx, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.LogEntry, error) {
			return q.LogBack(ctx, before, left)
		})
		if err != nil {
			return before, err
		}
		if len(page) == 0 {
			break
		}
		before, left = page[len(page)-1].ID, left-len(page)
	}
	if before.IsZero() {
		return before, nil // nothing was written yet
	}
	after := before.Before()
	_, _, err := pages(c.limit, streamutil.LogPage, func(l streamutil.LogEntry) streamutil.EntryID { return l.ID }, after,
		func(behind streamutil.EntryID, n int) ([]streamutil.LogEntry, error) {
			return c.logPage(ctx, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.LogEntry, error) {
				return q.Log(ctx, behind, n)
			})
		},
		func(l streamutil.LogEntry) error {
			after = l.ID
			return form.add(newLogLine(l))
		})
	return after, err
}

func (c *change) logPage(ctx context.Context, page func(context.Context, *streamutil.Queue) ([]streamutil.LogEntry, error)) ([]streamutil.LogEntry, error) {
	return call(ctx, c.queue, page)
}

// follow shows what comes, until it is stopped. While Redis is away it waits,
// and goes on where it was.
func (c *change) follow(ctx context.Context, form *sheet[logLine], after streamutil.EntryID) error {
	away := false
	for ctx.Err() == nil {
		wait := tailWait
		if away {
			wait = time.Millisecond // it is said at once that Redis is there again
		}
		lines, err := c.queue.Tail(ctx, after, wait)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, streamutil.ErrUnavailable):
			if !away {
				c.say("%s does not answer (%v); going on when it does", c.queue.Redis(), err)
			}
			away = true
			_ = sleep(ctx, tailAgain) // only its end, which the loop sees, cuts it short
			continue
		case err != nil:
			return err
		}
		if away && ctx.Err() == nil {
			away = false
			c.say("%s answers again", c.queue.Redis())
			if after, lines, err = c.resumeAt(ctx, after, lines); err != nil {
				return err
			}
		}
		for _, l := range lines {
			after = l.ID
			if err := form.add(newLogLine(l)); err != nil {
				return err
			}
		}
		if err := form.flush(); err != nil {
			return err
		}
	}
	return nil
}

// resumeAt is where to go on after Redis was away. If it lost the log, what comes
// may stand before what was seen: then all of it is new.
func (c *change) resumeAt(ctx context.Context, after streamutil.EntryID, lines []streamutil.LogEntry) (streamutil.EntryID, []streamutil.LogEntry, error) {
	newest, err := c.queue.LogBack(ctx, streamutil.EntryID{}, 1)
	if errors.Is(err, streamutil.ErrUnavailable) {
		return after, lines, nil // away again: that is said by the next look
	}
	if err != nil || len(newest) == 1 && newest[0].ID.Compare(after) >= 0 || after.IsZero() {
		return after, lines, err
	}
	c.say("Redis has lost the end of the log: it goes on with what is written from now on")
	if len(newest) == 1 {
		return newest[0].ID, nil, nil
	}
	return streamutil.EntryID{}, nil, nil
}
