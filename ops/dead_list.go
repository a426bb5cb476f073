package ops

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// deadListing is how orderq dead list was called.
type deadListing struct {
	cause, after, groupBy string
}

func newDeadListCommand(open Open) *cobra.Command {
	var l deadListing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the dead letters, newest first, or count them by what they died of",
		Long: "Each letter with the order, what it died of (a reason such as poison, with the\n" +
			"partner's status where there is one), its attempts and when it died. With --group-by\n" +
			"error one line for each cause, the commonest first: how many, since when, one of\n" +
			"them, and the command that sends all of them again. --error shows those of one cause.",
		Example: "  orderq dead list --group-by error\n  orderq dead list --error \"rejected 422\"\n" +
			"  orderq dead list -o jsonl --limit 100000 | jq -r .order_id",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := l.check(cmd)
			if err != nil {
				return err
			}
			return look(cmd, open, func(ctx context.Context, c *change) error {
				if l.groupBy != "" {
					return c.deadGroups(ctx, l)
				}
				return c.deadList(ctx, l, after)
			})
		},
	}
	cmd.Flags().StringVar(&l.groupBy, "group-by", "", "error: count the letters by what they died of")
	cmd.Flags().StringVar(&l.cause, "error", "", `only those that died of this, such as "rejected 422" or poison`)
	cmd.Flags().StringVar(&l.after, "after", "", "go on behind this letter, as the page before it named it")
	completeFrom(cmd, "group-by", "error")
	completeFlag(cmd, "error", completeCauses(open))
	return cmd
}

func (l deadListing) check(cmd *cobra.Command) (streamutil.EntryID, error) {
	after, err := cursorOf(cmd, l.after)
	switch {
	case err != nil:
		return after, err
	case cmd.Flags().Changed("group-by") && l.groupBy != "error":
		return after, usagef("dead list: --group-by %q: want error", l.groupBy)
	case l.groupBy != "" && l.after != "":
		return after, usagef("dead list: --group-by counts all letters: leave out --after")
	case cmd.Flags().Changed("error") && l.cause == "":
		return after, usagef("dead list: --error is empty: want what the letters died of, such as \"rejected 422\"")
	}
	return after, nil
}

func (l deadListing) match(d streamutil.DeadLetter) bool {
	return l.cause == "" || d.Cause() == l.cause || d.Reason == l.cause
}

func (c *change) deadList(ctx context.Context, l deadListing, after streamutil.EntryID) error {
	headings := []string{"ID", "ORDER", "REASON", "STATUS", "ATTEMPTS", "TIME"}
	if c.body {
		headings = append(headings, "BODY")
	}
	p := newProgress(c.view)
	form := sheet[letterRow]{view: c.view, headings: headings, cells: func(r letterRow) []string { return r.cells(c.view) }, before: p.end}
	next, more, err := pages(c.limit, page, func(d streamutil.DeadLetter) streamutil.EntryID { return d.ID }, after,
		func(behind streamutil.EntryID, n int) ([]streamutil.DeadLetter, error) {
			return c.matchingBack(ctx, l.match, behind, n, p)
		},
		func(d streamutil.DeadLetter) error { return form.add(newLetterRow(c.view, d)) })
	p.end()
	if err != nil {
		return err
	}
	if err := form.close(); err != nil {
		return err
	}
	if more {
		c.nextPage("dead list"+flagText("error", l.cause), next)
	}
	return nil
}

// matchingBack goes back through the dead letters until n match.
func (c *change) matchingBack(ctx context.Context, match func(streamutil.DeadLetter) bool, before streamutil.EntryID, n int, p *progress,
) ([]streamutil.DeadLetter, error) {
	var found []streamutil.DeadLetter
	for looked := 0; ; {
		list, err := c.lettersBack(ctx, before)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			before = d.ID
			if !match(d) {
				continue
			}
			if found = append(found, d); len(found) == n {
				return found, nil
			}
		}
		if len(list) < page {
			return found, nil
		}
		looked += len(list)
		p.show("looked at %s", several(looked, "dead letter"))
	}
}

func (c *change) lettersBack(ctx context.Context, before streamutil.EntryID) ([]streamutil.DeadLetter, error) {
	return call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.DeadLetter, error) {
		return q.DeadLettersBack(ctx, before, page)
	})
}

// letterRow is what dead list -o json shows; scripts rely on its keys.
type letterRow struct {
	ID       streamutil.EntryID  `json:"id"`
	OrderID  *string             `json:"order_id"`
	EntryID  *streamutil.EntryID `json:"entry_id"`
	Reason   string              `json:"reason"`
	Status   *int                `json:"status"`
	Cause    string              `json:"cause"`
	Attempts int                 `json:"attempts"`
	DiedAt   time.Time           `json:"died_at"`
	Body     *string             `json:"body,omitempty"`
}

func newLetterRow(v view, d streamutil.DeadLetter) letterRow {
	row := letterRow{
		ID: d.ID, OrderID: known(d.OrderID), EntryID: known(d.Entry), Reason: d.Reason, Status: known(d.Status),
		Cause: d.Cause(), Attempts: d.Attempts, DiedAt: d.Time().UTC(),
	}
	if v.body {
		row.Body = new(string(d.Body))
	}
	return row
}

func (r letterRow) cells(v view) []string {
	status := "-"
	if r.Status != nil {
		status = fmt.Sprint(*r.Status)
	}
	cells := []string{r.ID.String(), orNone(text(r.OrderID)), orNone(r.Reason), status, fmt.Sprint(r.Attempts), v.moment(r.DiedAt.Local())}
	if v.body {
		cells = append(cells, orNone(text(r.Body)))
	}
	return cells
}
