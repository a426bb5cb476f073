package ops

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newPauseCommand(open Open) *cobra.Command {
	var d time.Duration
	var why string
	cmd := &cobra.Command{
		Use:   "pause --reason R [--for D]",
		Short: "Stop sending; orders are still accepted",
		Long: "No consumer starts a call, within a second; those that run are finished. Shops\n" +
			"notice nothing: their orders are accepted and wait. Ends with orderq resume, or\n" +
			"by itself after --for. Who paused the queue and why is shown by orderq status.",
		Example: "  orderq pause --reason \"partner moves its data centre\"\n" +
			"  orderq pause --for 30m --reason \"wrong prices in the catalogue\"",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFor(cmd, d); err != nil {
				return err
			}
			if strings.TrimSpace(why) == "" {
				return usagef("pause: say why, for those who find the queue paused: %s pause --reason \"partner asked us to wait\"", again(cmd))
			}
			return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.pause(ctx, d) })
		},
	}
	forFlag(cmd, &d, "until orderq resume")
	reasonFlag(cmd, &why)
	return cmd
}

// paused is what pause -o json shows; scripts rely on its keys.
type paused struct {
	Queue  string     `json:"queue"`
	DryRun bool       `json:"dry_run"`
	Until  *time.Time `json:"until"`
	Reason string     `json:"reason"`
	By     string     `json:"by"`
}

func (c *change) pause(ctx context.Context, d time.Duration) error {
	before, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	if p := before.Pause; p != nil {
		c.say("note: this replaces a pause (%s) by %s: %s", p.Reason, orNone(p.By.Who), orNone(p.By.Why))
	}
	if err := c.apply(ctx, func(ctx context.Context, q *streamutil.Queue) error { return q.Pause(ctx, d, c.by) }); err != nil {
		return err
	}
	end := until(before.Time, d)
	err = c.show(paused{Queue: c.queue.Name(), DryRun: c.dryRun, Until: end, Reason: c.by.Why, By: c.by.Who}, [][]string{
		{"paused until", c.untilText(end, before.Time, "orderq resume")}, {"reason", c.by.Why}, {"by", c.by.Who},
	})
	c.undoPause(before)
	return err
}

// undoPause says how the queue becomes again what it was: of two pauses only the
// later one is kept.
func (c *change) undoPause(before streamutil.Snapshot) {
	switch p := before.Pause; {
	case p == nil:
		c.undo("resume")
	case p.Reason == "credentials":
		c.undo("resume  (if the partner still refuses our credentials, the queue pauses itself again)")
	default:
		c.undo(pauseAgain(*p, before.Time))
	}
}

// pauseAgain is the command that sets a pause again. One that a hand set may have no
// reason, which pause does not take.
func pauseAgain(p streamutil.Pause, now time.Time) string {
	return "pause --reason " + quoted(cmp.Or(strings.TrimSpace(p.By.Why), "as before")) + forRest(p.Until, now)
}
