package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// purging is how orderq purge was called.
type purging struct {
	backup, state string
}

func newPurgeCommand(open Open) *cobra.Command {
	var p purging
	var why string
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Cancel all that waits or is parked, after writing it to a file",
		Long: "Takes every order out of the queue that is not being sent, as it is now: orders\n" +
			"that come meanwhile stay, also those that come while it asks. Each is written to a\n" +
			"backup file first, bodies included, readable by you alone: orderq restore puts them\n" +
			"back. What is in flight is left to its consumer, dead letters stay. Asks first, with\n" +
			"the count.",
		Example: "  orderq purge --reason \"test data\"\n  orderq purge --state parked --backup parked.zst\n  orderq purge --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch p.state {
			case "", string(streamutil.Waiting), string(streamutil.Parked):
			default:
				return usagef("--state %s: want waiting or parked; without it, both", quoted(p.state))
			}
			if err := viewOf(cmd).mayAsk(); err != nil {
				return err
			}
			return alter(cmd, open, why, func(ctx context.Context, c *change) error { return c.purge(ctx, p) })
		},
	}
	cmd.Flags().StringVar(&p.backup, "backup", "", "the file to write, which must not exist (default orderq-QUEUE-TIME.purged.zst here)")
	cmd.Flags().StringVar(&p.state, "state", "", "only what is waiting, or parked")
	reasonFlag(cmd, &why)
	return cmd
}

// purgeResult is what purge -o json shows; scripts rely on its keys.
type purgeResult struct {
	DryRun    bool    `json:"dry_run"`
	Cancelled int     `json:"cancelled"`
	Removed   int     `json:"removed"` // entries that were no orders of the queue
	InFlight  int     `json:"in_flight"`
	Backup    *string `json:"backup"`
}

func (c *change) purge(ctx context.Context, p purging) error {
	upTo, err := c.lastEntry(ctx) // before it is counted, and asked
	if err != nil {
		return err
	}
	s, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	count := int(s.Waiting + s.Parked)
	switch p.state {
	case string(streamutil.Waiting):
		count = int(s.Waiting)
	case string(streamutil.Parked):
		count = int(s.Parked)
	}
	if count == 0 && !c.dryRun {
		c.say("nothing waits or is parked; %s in flight", several(int(s.InFlight), "order"))
		return c.show(purgeResult{InFlight: int(s.InFlight)}, [][]string{{"cancelled", "0"}})
	}
	if c.dryRun {
		c.say("%s would be cancelled (%d waiting, %d parked); %d in flight would be left", several(count, "order"), s.Waiting, s.Parked, s.InFlight)
		return c.show(purgeResult{DryRun: c.dryRun, Cancelled: count, InFlight: int(s.InFlight)}, [][]string{{"cancelled", fmt.Sprint(count)}})
	}
	name := cmp.Or(p.backup, purgedName(c.queue.Name(), time.Now()))
	file, err := createBackupFile(name, aboutBackup{
		Format: backupFormat, Queue: c.queue.Name(), Redis: c.queue.Redis(), MadeBy: madeByPurge, Begun: s.Time.UTC(), Last: upTo,
	})
	if err != nil {
		return fmt.Errorf("make the backup file: %w; --backup names another", err)
	}
	defer file.file.Close()
	if err := c.confirm(ctx, fmt.Sprintf("write %s to %s and cancel %s?", several(count, "order"), name, them(count))); err != nil {
		return errors.Join(err, file.remove())
	}
	return c.purgeInto(ctx, p, file, upTo, count)
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// purgeInto goes through the queue a page at a time: first to the file, then out
// of the queue. However it ends, it tells how far it came.
func (c *change) purgeInto(ctx context.Context, p purging, file *backupFile, upTo streamutil.EntryID, count int) error {
	name := file.name()
	result := purgeResult{Backup: &name}
	if err := c.notePurge(false, count); err != nil {
		return errors.Join(err, file.remove())
	}
	progress := newProgress(c.view)
	var stopped error
	for copies, err := range copiesUpTo(ctx, &persistence{change: c, progress: progress}, streamutil.EntryID{}, upTo) {
		if err == nil {
			err = c.purgePage(p, file, copies, &result)
		}
		if err == nil && ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		if stopped = err; err != nil {
			break
		}
		progress.show("%d of %d cancelled", result.Cancelled, count)
	}
	progress.end()
	err := errors.Join(c.notePurge(true, result.Cancelled+result.Removed), file.file.Close(), syncDir(filepath.Dir(name)))
	if result.Cancelled > 0 {
		c.undo("restore " + quoted(name))
	}
	if result.InFlight > 0 {
		c.say("%s in flight left to the consumers", several(result.InFlight, "order"))
	}
	if result.Removed > 0 {
		c.say("%d entries removed that were no orders of the queue; they are in the file, too", result.Removed)
	}
	if stopped != nil {
		stopped = fmt.Errorf("stopped with %d cancelled: %w; to go on, run it again with another --backup", result.Cancelled, stopped)
		return errors.Join(stopped, err)
	}
	return errors.Join(err, c.show(result, [][]string{
		{"cancelled", fmt.Sprint(result.Cancelled)}, {"backup", name},
	}))
}

// purgePage takes a page out. It is not interrupted in the middle, so that what it
// counts and what is in the file is what was done.
func (c *change) purgePage(p purging, file *backupFile, copies []streamutil.Copy, result *purgeResult) error {
	var chosen []streamutil.Copy
	var ids []streamutil.EntryID
	for _, o := range copies {
		state := o.State
		if o.Mark != "" {
			state = streamutil.Waiting // whatever it is, it waits for a consumer to find out
		}
		switch {
		case state == streamutil.InFlight:
			result.InFlight++
		case p.state == "" || p.state == string(state):
			chosen, ids = append(chosen, o), append(ids, o.Entry)
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	if err := file.addSafely(chosen); err != nil {
		return err
	}
	var purged []streamutil.Purged
	_, err := call(context.Background(), c.queue, func(ctx context.Context, q *streamutil.Queue) (struct{}, error) {
		var err error
		purged, err = q.Purge(ctx, ids, c.by)
		return struct{}{}, err
	})
	for _, what := range purged {
		switch what {
		case streamutil.PurgeCancelled:
			result.Cancelled++
		case streamutil.PurgeRemoved:
			result.Removed++
		case streamutil.PurgeInFlight: // taken meanwhile; it stays in the file
			result.InFlight++
		case streamutil.PurgeGone: // delivered meanwhile
		}
	}
	return err
}

// notePurge records the purge, also one that is interrupted.
func (c *change) notePurge(ended bool, entries int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.queue.NotePurge(ctx, ended, entries, c.by)
}
