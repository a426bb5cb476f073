package ops

import (
	"context"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newPaceResetCommand(open Open) *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:     "reset",
		Short:   "Go back to the consumers' own pace",
		Long:    "Ends a pace set with orderq pace RATE, within a second. If none was set, that is\nsaid and is no error.",
		Example: "  orderq pace reset",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.resetPace(ctx) })
		},
	}
	reasonFlag(cmd, &why)
	return cmd
}

func (c *change) resetPace(ctx context.Context) error {
	before, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	if err := c.apply(ctx, func(ctx context.Context, q *streamutil.Queue) error { return q.ResetPace(ctx, c.by) }); err != nil {
		return err
	}
	p := newPaceView(c.queue.Name(), before)
	p.DryRun, p.Pace, p.Override = c.dryRun, p.BasePace, nil
	err = c.showPace(p, before.Time)
	if before.Override != nil {
		c.undoPace(before)
	} else {
		c.say("nothing changed: no other pace was set")
	}
	return err
}
