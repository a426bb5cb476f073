package ops

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// newID is how an order comes back that cannot.
const newID = "this cannot be undone; an order that the partner does not have may be submitted again under a new id"

// cancelling is what orderq cancel does.
var cancelling = ordersChange{verb: "cancel", one: (*change).cancel, undone: newID}

func newCancelCommand(open Open) *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:   "cancel ORDER_ID...",
		Short: "Take an order out of the queue before it is sent",
		Long: "Cancels an order that waits or is parked. If it was sent before, the partner may\n" +
			"have it all the same; that is said. An order in flight is not cancelled: wait\n" +
			"for its outcome. Cancelling one twice is no error. Asks before it cancels several.",
		Example:           "  orderq cancel A-1001 --reason \"customer called\"\n  orderq cancel A-1001 A-1002 --dry-run",
		Args:              ids("order id"),
		ValidArgsFunction: completeOrders(open),
		RunE: func(cmd *cobra.Command, args []string) error {
			return alterOrders(cmd, open, why, cancelling, args)
		},
	}
	reasonFlag(cmd, &why)
	return cmd
}

func (c *change) cancel(ctx context.Context, id string) (fate, error) {
	f := fate{ID: id}
	was, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (streamutil.Cancellation, error) {
		if c.dryRun {
			rec, err := q.Lookup(ctx, id)
			could := rec.State == streamutil.Waiting || rec.State == streamutil.Parked
			return streamutil.Cancellation{Done: could, State: rec.State, Attempts: rec.Attempts}, err
		}
		return q.Cancel(ctx, id, c.by)
	})
	if errors.Is(err, streamutil.ErrNotFound) {
		f.becomes(missing, "")
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.OrderID, f.Was, f.Attempts = &id, &was.State, &was.Attempts
	f.becomes(c.cancelled(was))
	return f, nil
}

// cancelled says what a cancellation did, or why it did nothing.
func (c *change) cancelled(was streamutil.Cancellation) (result, string) {
	switch {
	case was.Done && was.Attempts > 0:
		return c.did(), "was sent " + times(was.Attempts) + "; the partner may have it"
	case was.Done:
		return c.did(), ""
	case was.State == streamutil.Cancelled: // also what a repeated call finds whose first answer was lost
		return needless, "is cancelled"
	case was.State == streamutil.InFlight:
		return refused, "is in flight: wait for its outcome"
	case was.State == streamutil.Dead:
		return refused, "is a dead letter: see orderq dead requeue and orderq dead drop"
	case was.State == streamutil.Delivered:
		return refused, "is delivered: the partner has it, and only the partner can cancel it"
	}
	return refused, "is " + string(was.State) + " and was not cancelled; try again"
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
