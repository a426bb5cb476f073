package ops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// requeueing is how orderq dead requeue was called.
type requeueing struct {
	ids   []string
	cause string
	all   bool
	rate  string
}

func newDeadRequeueCommand(open Open) *cobra.Command {
	var r requeueing
	var why string
	cmd := &cobra.Command{
		Use:   "requeue ID...|--error E|--all",
		Short: "Send dead letters again, at the end of the queue",
		Long: "The orders wait again as if they had never been tried, and keep their\n" +
			"Idempotency-Key. ID is an order's id, or else a letter's or the entry it had\n" +
			"(MS-SEQ). --error takes all that died of the same: a reason such as poison, or a\n" +
			"reason with its status such as \"rejected 422\". --all and --error mean the letters\n" +
			"of this moment: an order that dies again meanwhile stays dead. Of many, ten go at\n" +
			"once and the rest at half the queue's pace, so that new orders get through between\n" +
			"them; --rate says otherwise. Stopped half-way, run it again. Asks first.",
		Example: "  orderq dead requeue A-1001\n" +
			"  orderq dead requeue --error \"rejected 422\" --reason \"partner knows the article now\"\n" +
			"  orderq dead requeue --all --dry-run\n" +
			"  orderq dead requeue --all --rate 10/m",
		ValidArgsFunction: completeLetters(open),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.ids = args
			if err := r.check(cmd); err != nil {
				return err
			}
			if err := viewOf(cmd).mayAsk(); err != nil {
				return err
			}
			return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.requeue(ctx, r) })
		},
	}
	cmd.Flags().StringVar(&r.cause, "error", "", `those that died of this, such as "rejected 422" or poison`)
	cmd.Flags().BoolVar(&r.all, "all", false, "all dead letters")
	cmd.Flags().StringVar(&r.rate, "rate", "", "how fast many are sent on, such as 30/m, or unlimited (default half the pace)")
	completeFlag(cmd, "error", completeCauses(open))
	reasonFlag(cmd, &why)
	return cmd
}

// check asks for exactly one way to say which letters.
func (r requeueing) check(cmd *cobra.Command) error {
	ways := 0
	for _, given := range []bool{len(r.ids) > 0, cmd.Flags().Changed("error"), r.all} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return usagef("dead requeue: want either ids, or --error E, or --all; see orderq dead requeue --help")
	}
	if cmd.Flags().Changed("limit") {
		return usagef("dead requeue: --limit bounds what is shown, not what is changed; name the ids instead")
	}
	if r.rate != "" {
		if _, err := streamutil.ParsePace(r.rate); err != nil {
			return usagef("dead requeue: --rate: %v", err)
		}
	}
	if cmd.Flags().Changed("error") && r.cause == "" {
		return usagef("dead requeue: --error is empty: want what the letters died of, such as \"rejected 422\"")
	}
	return nil
}

func (r requeueing) match(l streamutil.DeadLetter) bool {
	return r.all || l.Cause() == r.cause || l.Reason == r.cause
}

func (c *change) requeue(ctx context.Context, r requeueing) error {
	b, err := c.toRequeue(ctx, r)
	if err != nil {
		return err
	}
	if b.found > 0 && !c.dryRun {
		if err := c.confirm(ctx, "requeue "+several(b.found, "dead letter")+"?"); err != nil {
			return err
		}
	}
	do, err := c.spaced(ctx, r, b.found)
	if err != nil {
		return err
	}
	t, err := each(ctx, c, b.total, b.letters, do)
	if t.count[done] > 0 {
		c.undoRequeue(t)
		c.sayBlocked(ctx)
	}
	if err != nil {
		return err
	}
	return t.err()
}

// requeuedAtOnce is how many dead letters are sent on without a pause between them.
const requeuedAtOnce = 10

// spaced gives what requeues one letter, with a pause before it once many were
// sent on: they would stand before every order that comes now.
func (c *change) spaced(ctx context.Context, r requeueing, found int) (func(context.Context, letter) (fate, error), error) {
	if c.dryRun || found <= requeuedAtOnce {
		return c.requeueOne, nil
	}
	pause, err := c.requeuePause(ctx, r)
	if err != nil || pause == 0 {
		return c.requeueOne, err
	}
	c.say("the first %d at once, then one every %s: about %s in all; Ctrl-C stops, and the same command goes on",
		requeuedAtOnce, span(pause), span(time.Duration(found-requeuedAtOnce)*pause))
	sent := 0
	return func(ctx context.Context, l letter) (fate, error) {
		if sent >= requeuedAtOnce {
			if err := sleep(ctx, pause); err != nil {
				return fate{}, err
			}
		}
		f, err := c.requeueOne(ctx, l)
		if f.Result == done {
			sent++
		}
		return f, err
	}, nil
}

// requeuePause is the time between two letters: as was asked for, or twice the
// queue's interval.
func (c *change) requeuePause(ctx context.Context, r requeueing) (time.Duration, error) {
	if r.rate != "" {
		p, err := streamutil.ParsePace(r.rate)
		return p.Interval(), err
	}
	s, err := c.inspect(ctx)
	return 2 * s.Pace, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &exit{code: exitFailed, text: "interrupted"}
	}
}

func (c *change) toRequeue(ctx context.Context, r requeueing) (batch, error) {
	if len(r.ids) > 0 {
		return c.find(ctx, r.ids)
	}
	s, err := c.choose(ctx, r.match)
	if err == nil && s.count == 0 && !r.all {
		err = &exit{code: exitNotFound, text: fmt.Sprintf("no dead letter has the error %q; %s", r.cause, s.causes())}
	}
	return batch{total: s.count, found: s.count, letters: c.chosen(ctx, s)}, err
}

func (c *change) requeueOne(ctx context.Context, l letter) (fate, error) {
	f := l.fate()
	if !l.found {
		f.becomes(l.absent())
		return f, nil
	}
	if c.dryRun {
		f.becomes(requeuePlanned(l))
		return f, nil
	}
	entry, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (streamutil.EntryID, error) {
		return q.Requeue(ctx, l.ID, c.by)
	})
	switch {
	case errors.Is(err, streamutil.ErrNotFound):
		f.becomes(needless, "was dealt with meanwhile")
	case errors.Is(err, streamutil.ErrConflict):
		f.becomes(refused, cannotRequeue(l))
	case err != nil:
		return f, err
	default:
		f.EntryID = &entry
		f.becomes(done, "waits as "+entry.String())
	}
	return f, nil
}

// requeuePlanned foretells what can be foretold without a change.
func requeuePlanned(l letter) (result, string) {
	if noOrder(l) || l.Reason == streamutil.ReasonDuplicate {
		return refused, cannotRequeue(l)
	}
	return planned, ""
}

// noOrder is whether a letter holds nothing that could be sent.
func noOrder(l letter) bool {
	return l.Reason == streamutil.ReasonUndecodable || !streamutil.ValidOrderID(l.OrderID)
}

func cannotRequeue(l letter) string {
	switch {
	case noOrder(l):
		return "is no order that could be sent; orderq dead drop removes it"
	case l.Reason == streamutil.ReasonDuplicate:
		return "lives on as another entry; orderq dead drop removes this one"
	}
	return fmt.Sprintf("went on without this letter: orderq show %s tells where it is; orderq dead drop %s removes the letter", l.OrderID, l.ID)
}

func (c *change) undoRequeue(t *tally) {
	which := strings.Join(t.done, " ")
	if t.count[done] > len(t.done) {
		which = "ORDER_ID..."
	}
	c.undo("cancel " + which + "  (what is not sent by then)")
}
