package ops

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// change is a change to a queue while it is made.
type change struct {
	view
	queue *streamutil.Queue
	by    streamutil.Act
}

// mostReason is how many bytes a reason has at most: every status shows it, and the
// log keeps it with each order that is changed.
const mostReason = 500

// alter opens the queue, says which it is, and lets a command change it.
func alter(cmd *cobra.Command, open Open, why string, do func(context.Context, *change) error) error {
	if len(why) > mostReason {
		return usagef("%s: --reason has %d bytes: want %d at most", cmd.CommandPath(), len(why), mostReason)
	}
	desk, err := open()
	if err != nil {
		return err
	}
	defer desk.Close()
	c := &change{view: viewOf(cmd), queue: desk.Queue, by: streamutil.Act{Who: desk.Who, Why: why}}
	c.say("queue %s on %s", c.queue.Name(), c.queue.Redis())
	if c.dryRun {
		c.say("dry run: nothing is changed")
	}
	return do(cmd.Context(), c)
}

// say tells people something beside the data.
func (c *change) say(format string, args ...any) {
	fmt.Fprintln(c.errs, printable(fmt.Sprintf(format, args...)))
}

// undo tells how to take a change back.
func (c *change) undo(command string) {
	if !c.dryRun {
		c.say("undo: %s %s", c.again, command)
	}
}

// inspect reads the queue as it is now.
func (c *change) inspect(ctx context.Context) (streamutil.Snapshot, error) {
	return call(ctx, c.queue, inspect)
}

// apply makes the change, but for a dry run.
func (c *change) apply(ctx context.Context, do func(context.Context, *streamutil.Queue) error) error {
	if c.dryRun {
		return nil
	}
	_, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (struct{}, error) {
		return struct{}{}, do(ctx, q)
	})
	return err
}

// sayBlocked tells what keeps the queue from sending, for those who just made
// something due. That it cannot be read does not matter by then.
func (c *change) sayBlocked(ctx context.Context) {
	if c.dryRun {
		return
	}
	s, err := c.inspect(ctx)
	if err == nil && s.Reason != "" && s.State != streamutil.QueueRunning && s.State != streamutil.QueueIdle {
		c.say("note: the queue is %s", stateText(s))
	}
}

// reasonFlag gives a command --reason, which is recorded.
func reasonFlag(cmd *cobra.Command, why *string) {
	cmd.Flags().StringVar(why, "reason", "", "why: kept in the queue's log with who did it (500 bytes at most)")
}

// forFlag gives a command --for, after which the change ends by itself.
func forFlag(cmd *cobra.Command, d *time.Duration, otherwise string) {
	cmd.Flags().DurationVar(d, "for", 0, "for how long, such as 30m or 2h; without it "+otherwise)
}

// checkFor refuses a length of time that is none.
func checkFor(cmd *cobra.Command, d time.Duration) error {
	if cmd.Flags().Changed("for") && d <= 0 {
		return usagef("--for %s: want a time above zero, such as 30m or 2h", d)
	}
	return nil
}

// until is when something ends that begins now; nil for never.
func until(now time.Time, d time.Duration) *time.Time {
	if d <= 0 {
		return nil
	}
	return new(now.Add(d).UTC())
}

// untilText shows an end: as a moment and how long it is until then, or what
// ends a thing that has none.
func (v view) untilText(end *time.Time, now time.Time, otherwise string) string {
	if end == nil {
		return otherwise
	}
	return v.moment(end.Local()) + ", for " + span(end.Sub(now))
}

// forRest is the flag --for that sets the same end again, to the second;
// nothing if there is none.
func forRest(end, now time.Time) string {
	if end.IsZero() {
		return ""
	}
	text := max(end.Sub(now).Round(time.Second), time.Second).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	return " --for " + text
}

// ids are arguments of which there must be at least one.
func ids(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 || slices.Contains(args, "") {
			return usagef("%s: want at least one %s, and none empty; see %s --help", cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}

// again gives the program's name and those of its flags on this command line
// that decide which queue it reaches. A password given with --set is left out.
func again(cmd *cobra.Command) string {
	words, f := []string{cmd.Root().Name()}, cmd.Flags()
	for _, name := range []string{"config", "queue"} {
		if f.Changed(name) {
			value, _ := f.GetString(name)
			words = append(words, "--"+name, quoted(value))
		}
	}
	assigned, _ := f.GetStringArray("set")
	for _, a := range assigned {
		if reachesQueue.MatchString(a) {
			words = append(words, "--set", quoted(a))
		}
	}
	return strings.Join(words, " ")
}

var (
	reachesQueue = regexp.MustCompile(`^(queue\.name|redis\.(addresses|db|tls|ca_file|username|password_file|sentinel\..*))=`)
	plainWord    = regexp.MustCompile(`^[\w@%+=:,./-]+$`)
)

// quoted writes a word so that a shell reads it as one.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
