package ops

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newDeadDropCommand(open Open) *cobra.Command {
	var delivered bool
	var why string
	cmd := &cobra.Command{
		Use:   "drop ID... [--delivered]",
		Short: "Remove dead letters that a person has dealt with",
		Long: "The letters go, with the orders' bodies. Until queue.retention has passed the\n" +
			"orders can still be looked up: as dead, or with --delivered as delivered, for\n" +
			"those the partner has after all. ID is an order's id, or else a letter's or the\n" +
			"entry it had (MS-SEQ). Asks first, and cannot be undone.",
		Example: "  orderq dead drop A-1001 --reason \"customer ordered anew\"\n" +
			"  orderq dead drop A-1001 A-1002 --delivered --yes",
		Args:              ids("order id, or letter's id"),
		ValidArgsFunction: completeLetters(open),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := viewOf(cmd).mayAsk(); err != nil {
				return err
			}
			return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.drop(ctx, args, delivered) })
		},
	}
	cmd.Flags().BoolVar(&delivered, "delivered", false, "the partner has the orders: record them as delivered")
	reasonFlag(cmd, &why)
	return cmd
}

func (c *change) drop(ctx context.Context, names []string, delivered bool) error {
	b, err := c.find(ctx, names)
	if err != nil {
		return err
	}
	if b.found > 0 && !c.dryRun {
		if err := c.confirm(ctx, "remove "+several(b.found, "dead letter")+" for good?"); err != nil {
			return err
		}
	}
	t, err := each(ctx, c, b.total, b.letters, func(ctx context.Context, l letter) (fate, error) { return c.dropOne(ctx, l, delivered) })
	if t.count[done] > 0 {
		c.say("%s", newID)
	}
	if err != nil {
		return err
	}
	return t.err()
}

func (c *change) dropOne(ctx context.Context, l letter, delivered bool) (fate, error) {
	f := l.fate()
	if !l.found {
		f.becomes(l.absent())
		return f, nil
	}
	err := c.apply(ctx, func(ctx context.Context, q *streamutil.Queue) error { return q.Drop(ctx, l.ID, delivered, c.by) })
	switch {
	case errors.Is(err, streamutil.ErrNotFound):
		f.becomes(needless, "was dealt with meanwhile")
	case err != nil:
		return f, err
	case delivered:
		f.becomes(c.did(), "recorded as delivered")
	default:
		f.becomes(c.did(), "")
	}
	return f, nil
}
