package ops

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newRetryCommand(open Open) *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:   "retry ORDER_ID...",
		Short: "Send a parked order again now, not only when it is due",
		Long: "Ends a parked order's wait: it is sent next, before all that came later. One that\n" +
			"waits its turn or is being sent needs no retry; that is said and is no error. A\n" +
			"dead letter goes on with orderq dead requeue. Asks before it retries several.",
		Example:           "  orderq retry A-1001\n  orderq retry A-1001 A-1002 --yes --reason \"partner repaired them\"",
		Args:              ids("order id"),
		ValidArgsFunction: completeOrders(open),
		RunE: func(cmd *cobra.Command, args []string) error {
			return alterOrders(cmd, open, why, retrying, args)
		},
	}
	reasonFlag(cmd, &why)
	return cmd
}

// ordersChange is a change that is made to each of the orders that were named.
type ordersChange struct {
	verb   string
	one    func(*change, context.Context, string) (fate, error)
	undone string // what is said of undoing it
	sends  bool   // it makes orders due: then it matters what blocks the queue
}

// alterOrders makes a change to orders. It asks before it changes several.
func alterOrders(cmd *cobra.Command, open Open, why string, o ordersChange, ids []string) error {
	if len(ids) > 1 {
		if err := viewOf(cmd).mayAsk(); err != nil {
			return err
		}
	}
	return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.orders(ctx, o, ids) })
}

func (c *change) orders(ctx context.Context, o ordersChange, ids []string) error {
	if len(ids) > 1 && !c.dryRun {
		if err := c.confirm(ctx, o.verb+" "+several(len(ids), "order")+"?"); err != nil {
			return err
		}
	}
	t, err := each(ctx, c, len(ids), sequence(ids), func(ctx context.Context, id string) (fate, error) { return o.one(c, ctx, id) })
	if t.count[done] > 0 {
		c.say("%s", o.undone)
		if o.sends {
			c.sayBlocked(ctx)
		}
	}
	if err != nil {
		return err
	}
	return t.err()
}

// retrying is what orderq retry does.
var retrying = ordersChange{
	verb: "retry", one: (*change).retry, sends: true,
	undone: "a retry cannot be undone, and loses nothing: the order is only sent sooner",
}

func (c *change) retry(ctx context.Context, id string) (fate, error) {
	f := fate{ID: id}
	state, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (streamutil.State, error) {
		if c.dryRun {
			rec, err := q.Lookup(ctx, id)
			return rec.State, err
		}
		return q.Retry(ctx, id, c.by)
	})
	if errors.Is(err, streamutil.ErrNotFound) {
		f.becomes(missing, "")
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.OrderID, f.Was = &id, &state
	f.becomes(c.retried(state))
	return f, nil
}

// retried says what a retry means for an order in this state.
func (c *change) retried(state streamutil.State) (result, string) {
	switch state {
	case streamutil.Parked:
		return c.did(), "due now"
	case streamutil.Waiting:
		return needless, "it waits its turn"
	case streamutil.InFlight:
		return needless, "it is being sent"
	case streamutil.Dead:
		return refused, "is a dead letter: orderq dead requeue sends it again"
	case streamutil.Cancelled:
		return refused, "is cancelled: submit the order again under a new id"
	default:
		return refused, "is " + string(state) + ": there is nothing to send again"
	}
}

// did is the result of a change that nothing stands against.
func (c *change) did() result {
	if c.dryRun {
		return planned
	}
	return done
}
