package ops

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newPaceCommand(open Open) *cobra.Command {
	var d time.Duration
	var why string
	cmd := &cobra.Command{
		Use:   "pace [RATE [--for D]]",
		Short: "Show the pace, or set another for all consumers",
		Long: "The pace is how often all consumers together may start a call: the slowest that\n" +
			"any of them is configured with, or the one set here. Without RATE it is shown.\n" +
			"RATE is NUMBER/s, NUMBER/m, NUMBER/h or unlimited. It holds within a second, for\n" +
			"consumers that start later too, until orderq pace reset or the end of --for.",
		Example: "  orderq pace\n" +
			"  orderq pace 30/m --for 2h --reason \"partner is short of machines\"\n" +
			"  orderq pace reset",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return showPace(cmd, open, why)
			}
			if err := checkFor(cmd, d); err != nil {
				return err
			}
			pace, err := streamutil.ParsePace(args[0])
			if err != nil {
				return usagef("%v; orderq pace reset ends an override", err)
			}
			return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.setPace(ctx, pace, d) })
		},
	}
	forFlag(cmd, &d, "until orderq pace reset")
	reasonFlag(cmd, &why)
	cmd.AddCommand(newPaceResetCommand(open))
	return cmd
}

// paceView is what pace -o json shows; scripts rely on its keys.
type paceView struct {
	Queue    string    `json:"queue"`
	DryRun   bool      `json:"dry_run"`
	Pace     *string   `json:"pace"`
	Override *override `json:"override"`
	// BasePace is the slowest of the consumers' own, and SlowestConsumer whose.
	BasePace        *string `json:"base_pace"`
	SlowestConsumer *string `json:"slowest_consumer"`
}

// override is an operator's pace: whose, why and until when (null: until reset).
type override struct {
	By     string     `json:"by"`
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until"`
}

func newPaceView(queue string, s streamutil.Snapshot) paceView {
	p := paceView{Queue: queue}
	if s.PaceKnown {
		p.Pace = new(streamutil.Every(s.Pace).String())
	}
	if o := s.Override; o != nil {
		p.Override = &override{By: o.By.Who, Reason: o.By.Why}
		if !o.Until.IsZero() {
			p.Override.Until = new(o.Until.UTC())
		}
	}
	for _, consumer := range s.Consumers {
		if p.SlowestConsumer == nil && consumer.Pace == s.BasePace {
			p.SlowestConsumer = &consumer.Name
		}
	}
	if p.SlowestConsumer != nil || s.BasePace > 0 || s.PaceKnown && s.Override == nil {
		p.BasePace = new(streamutil.Every(s.BasePace).String())
	}
	return p
}

func showPace(cmd *cobra.Command, open Open, why string) error {
	if cmd.Flags().Changed("for") || why != "" {
		return usagef("pace: --for and --reason go with a RATE, as in: %s pace 30/m --for 2h", again(cmd))
	}
	v, queue := viewOf(cmd), ""
	s, err := ask(cmd.Context(), open, func(ctx context.Context, q *streamutil.Queue) (streamutil.Snapshot, error) {
		queue = q.Name()
		return q.Inspect(ctx)
	})
	if err != nil {
		return err
	}
	return v.showPace(newPaceView(queue, s), s.Time)
}

func (v view) showPace(p paceView, now time.Time) error {
	pace, from, base := "not known until a consumer has run", "the consumers", "not known"
	if p.Pace != nil {
		pace = *p.Pace
	}
	if p.BasePace != nil {
		base = *p.BasePace
	}
	if p.SlowestConsumer != nil {
		base += ", the slowest: " + *p.SlowestConsumer
	}
	lines := [][]string{{"pace", pace}}
	if o := p.Override; o != nil {
		from = orNone(o.By)
		lines = append(lines, []string{"reason", orNone(o.Reason)}, []string{"until", v.untilText(o.Until, now, "orderq pace reset")})
	}
	lines = slices.Insert(lines, 1, []string{"set by", from})
	return v.show(p, append(lines, []string{"consumers' own", base}))
}

func (c *change) setPace(ctx context.Context, pace streamutil.Pace, d time.Duration) error {
	before, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	if err := c.apply(ctx, func(ctx context.Context, q *streamutil.Queue) error { return q.SetPace(ctx, pace, d, c.by) }); err != nil {
		return err
	}
	p := newPaceView(c.queue.Name(), before)
	if p.BasePace != nil && before.BasePace > pace.Interval() {
		c.say("note: faster than the consumers' own %s; make sure that the partner allows it", *p.BasePace)
	}
	p.DryRun, p.Pace = c.dryRun, new(streamutil.Every(pace.Interval()).String()) // as every command tells it
	p.Override = &override{By: c.by.Who, Reason: c.by.Why, Until: until(before.Time, d)}
	err = c.showPace(p, before.Time)
	c.undoPace(before)
	return err
}

// undoPace says how the pace becomes again what it was.
func (c *change) undoPace(before streamutil.Snapshot) {
	if before.Override == nil {
		c.undo("pace reset")
		return
	}
	o := before.Override
	c.undo("pace " + streamutil.Every(before.Pace).String() + forRest(o.Until, before.Time) + flagText("reason", o.By.Why))
}
