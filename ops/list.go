package ops

import (
	"context"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// listing is how orderq list was called.
type listing struct {
	state, after string
}

func newListCommand(open Open) *cobra.Command {
	var l listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List orders and what each waits for",
		Long: "Without --state all that are not finished, oldest first. With a state that is not\n" +
			"final (waiting, in_flight, parked) those, oldest first. Of the final ones dead\n" +
			"lists the dead letters, delivered and cancelled what the log still tells of (its\n" +
			"last 10,000 lines, unless queue.log_max says otherwise), newest first. A page holds\n" +
			"--limit orders; how to see the next one is said on stderr.",
		Example: "  orderq list\n  orderq list --state parked\n  orderq list --state delivered --limit 5\n" +
			"  orderq list -o jsonl --limit 1000000 | jq -r .order_id\n  orderq list --state waiting --body -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := l.check(cmd)
			if err != nil {
				return err
			}
			return look(cmd, open, func(ctx context.Context, c *change) error { return c.list(ctx, l, after) })
		},
	}
	cmd.Flags().StringVar(&l.state, "state", "", "waiting, in_flight, parked, dead, delivered or cancelled")
	cmd.Flags().StringVar(&l.after, "after", "", "go on behind this, as the page before it named it")
	completeFrom(cmd, "state", "waiting", "in_flight", "parked", "dead", "delivered", "cancelled")
	return cmd
}

func (l listing) check(cmd *cobra.Command) (streamutil.EntryID, error) {
	switch s := streamutil.State(l.state); s {
	case "", streamutil.Waiting, streamutil.InFlight, streamutil.Parked, streamutil.Dead, streamutil.Delivered, streamutil.Cancelled:
	default:
		return streamutil.EntryID{}, usagef("list: --state %q: want waiting, in_flight, parked, dead, delivered or cancelled", l.state)
	}
	if cmd.Flags().Changed("state") && l.state == "" {
		return streamutil.EntryID{}, usagef("list: --state is empty: leave it out for all that are not finished")
	}
	return cursorOf(cmd, l.after)
}

func (c *change) list(ctx context.Context, l listing, after streamutil.EntryID) error {
	queue, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	state := streamutil.State(l.state)
	form := sheet[listRow]{view: c.view, headings: listHeadings(c.view, state), cells: func(r listRow) []string { return r.cells(c.view) }}
	page := func(after streamutil.EntryID, n int) ([]streamutil.Listed, error) {
		return call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Listed, error) {
			want := streamutil.Listing{State: state, After: after, Limit: n, Body: c.body}
			if state.Final() {
				return q.ListFinished(ctx, want)
			}
			return q.List(ctx, want)
		})
	}
	next, more, err := pages(c.limit, streamutil.MaxPage, func(o streamutil.Listed) streamutil.EntryID { return o.Cursor }, after, page,
		func(o streamutil.Listed) error { return form.add(newListRow(c.view, o, queue)) })
	if err != nil {
		return err
	}
	if err := form.close(); err != nil {
		return err
	}
	if more {
		c.nextPage("list"+flagText("state", l.state), next)
	}
	return nil
}
