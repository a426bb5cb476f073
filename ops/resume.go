package ops

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newResumeCommand(open Open) *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Send again: end a pause, a hold, an open breaker",
		Long: "Ends whatever keeps the queue from sending, within a second: a pause by an\n" +
			"operator, a pause for wrong credentials (their file is read again), a hold the\n" +
			"partner asked for, an open breaker. Nothing is sent faster to make up for it.\n" +
			"If nothing was in force, that is said and is no error.",
		Example: "  orderq resume\n  orderq resume --reason \"partner is back\"",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.resume(ctx) })
		},
	}
	reasonFlag(cmd, &why)
	return cmd
}

// resumed is what resume -o json shows; scripts rely on its keys.
type resumed struct {
	Queue  string   `json:"queue"`
	DryRun bool     `json:"dry_run"`
	Ended  []string `json:"ended"`
}

// inForce foretells what resume would end, as far as a snapshot shows it.
func inForce(s streamutil.Snapshot) []string {
	switch {
	case s.Pause != nil:
		return []string{s.Pause.Reason}
	case s.Blocked == "hold", s.Blocked == "breaker":
		return []string{s.Blocked}
	}
	return nil
}

func (c *change) resume(ctx context.Context) error {
	before, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	ended := inForce(before)
	if !c.dryRun {
		ended, err = call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) ([]string, error) { return q.Resume(ctx, c.by) })
		if err != nil {
			return err
		}
	}
	line := strings.Join(ended, ", ")
	if line == "" {
		ended, line = []string{}, "nothing: neither a pause nor a hold was in force"
	}
	err = c.show(resumed{Queue: c.queue.Name(), DryRun: c.dryRun, Ended: ended}, [][]string{{"ended", line}})
	c.undoResume(ended, before)
	c.sayBlocked(ctx)
	return err
}

func (c *change) undoResume(ended []string, before streamutil.Snapshot) {
	switch p := before.Pause; {
	case slices.Contains(ended, "paused") && p != nil:
		c.undo(pauseAgain(*p, before.Time))
	case len(ended) > 0 && !c.dryRun:
		c.say("needs no undoing: if the partner still refuses, the queue stops again by itself")
	}
}
