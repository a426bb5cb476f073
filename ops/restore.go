package ops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// restore is how orderq restore was called.
type restore struct {
	file, deliveredFile          string
	noPause, another, upToDamage bool
	giveUp                       time.Duration
}

func newRestoreCommand(open Open) *cobra.Command {
	var r restore
	var why string
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put the orders of a backup back into the queue",
		Long: "Puts what orderq backup or orderq purge has written back: orders that were not\n" +
			"finished wait again, in their order and behind all that is in the queue; dead\n" +
			"letters and what is known of finished orders come back as they were. What the queue\n" +
			"knows stays as it is, so the queue may be empty or running, and the same command\n" +
			"may be given again. From a file of purge, what that purge has cancelled waits again.\n\n" +
			"An order that was delivered since the backup is not sent again, if the queue knows\n" +
			"it, or if --delivered names it: a file of order ids, one a line, from the partner, or\n" +
			"lines of JSON as orderq tail -o jsonl or the consumers' logs have them; - is standard\n" +
			"input. Ids that are not in the backup change nothing.\n\n" +
			"Says first what it would send, and asks. The queue is paused before the first order\n" +
			"is put in, unless --no-pause is given: orderq resume lets it go on.",
		Example: "  orderq restore orderq-orders-20261201T010000Z.zst --dry-run\n" +
			"  orderq restore orderq-orders-20261201T010000Z.zst --delivered partner.txt\n" +
			"  orderq restore orderq-orders-20261201T093000Z.purged.zst --no-pause",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("restore: want one file, as orderq backup names it; see orderq restore --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r.file = args[0]
			if r.giveUp < 0 {
				return usagef("--give-up-after %s: want no time below zero", r.giveUp)
			}
			if err := viewOf(cmd).mayAsk(); err != nil {
				return err
			}
			return r.alter(cmd, open, why)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.deliveredFile, "delivered", "", "file with the ids of orders that were delivered since")
	f.BoolVar(&r.noPause, "no-pause", false, "do not pause the queue: what is put in may be sent at once")
	f.BoolVar(&r.another, "another-queue", false, "the file may be of a queue with another name")
	f.BoolVar(&r.upToDamage, "up-to-damage", false, "of a damaged file, take what stands before the damage")
	f.DurationVar(&r.giveUp, "give-up-after", 5*time.Minute, "how long to go on trying while Redis is away")
	reasonFlag(cmd, &why)
	return cmd
}

// alter reads the files before it asks Redis for anything.
func (r restore) alter(cmd *cobra.Command, open Open, why string) error {
	f, err := os.Open(r.file)
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	defer f.Close()
	b, err := openBackup(f)
	if err != nil && (b == nil || !r.upToDamage) {
		return r.fileFault(b, err)
	}
	delivered, err := readDelivered(r.deliveredFile, cmd.InOrStdin())
	if err != nil {
		return err
	}
	return alter(cmd, open, why, func(ctx context.Context, c *change) error {
		return newRestoring(c, r, b, delivered).run(ctx)
	})
}

func (r restore) fileFault(b *backup, err error) error {
	switch {
	case !errors.Is(err, errDamaged):
		return fmt.Errorf("%s: %w", r.file, err)
	case b == nil:
		return fmt.Errorf("%s is no backup of orderq, or its beginning is damaged: %w; nothing was changed", r.file, err)
	}
	return fmt.Errorf("%s: %w; nothing was changed. Take another backup; or --up-to-damage takes what stands before the damage: %s, %s, %d finished",
		r.file, err, several(b.counts.Unfinished, "unfinished order"), several(b.counts.Dead, "dead letter"), b.counts.Finished)
}

// restoreResult is what restore -o json shows; scripts rely on its keys. With
// --dry-run it tells what would be.
type restoreResult struct {
	DryRun bool      `json:"dry_run"`
	File   string    `json:"file"`
	Queue  string    `json:"queue"` // the file's
	Begun  time.Time `json:"begun_at"`
	// Waiting wait again; of these SentBefore may be with the partner already.
	Waiting    int `json:"waiting"`
	SentBefore int `json:"sent_before"`
	// Delivered are unfinished in the file, and were delivered since.
	Delivered int `json:"delivered"`
	// Known are in the queue, or were finished otherwise, and stay as they are.
	Known int `json:"known"`
	// Conflicts are left out: the queue knows another order by their id.
	Conflicts   int     `json:"conflicts"`
	DeadLetters int     `json:"dead_letters"`
	Finished    int     `json:"finished"`
	Paused      bool    `json:"paused"`
	Seconds     float64 `json:"seconds"`
}

func (r *restoreResult) show(v view) error {
	return v.show(r, [][]string{
		{"waiting again", strconv.Itoa(r.Waiting)},
		{"  sent before", strconv.Itoa(r.SentBefore)},
		{"delivered since", strconv.Itoa(r.Delivered)},
		{"in the queue", strconv.Itoa(r.Known)},
		{"conflicts", strconv.Itoa(r.Conflicts)},
		{"dead letters", strconv.Itoa(r.DeadLetters)},
		{"finished", strconv.Itoa(r.Finished)},
	})
}

// restoring is a restore while it runs.
type restoring struct {
	restore
	persistence
	backup    *backup
	delivered idSet
	// What moved while the file was made stands in it more than once. ended are those that
	// are finished or dead, too; late are those that came, or were requeued.
	ended map[streamutil.State]idSet
	late  map[idHash]streamutil.EntryID
	// acquainted is how many of the file's orders the queue knows.
	acquainted int
	began      time.Time
	forecast   restoreResult
	result     restoreResult
}

func newRestoring(c *change, r restore, b *backup, delivered idSet) *restoring {
	rs := &restoring{restore: r, backup: b, delivered: delivered, began: time.Now(), ended: map[streamutil.State]idSet{}, late: map[idHash]streamutil.EntryID{}}
	rs.persistence = persistence{change: c, progress: newProgress(c.view), giveUp: r.giveUp}
	rs.result = restoreResult{DryRun: c.dryRun, File: r.file, Queue: b.about.Queue, Begun: b.about.Begun}
	rs.forecast = rs.result
	return rs
}

func (r *restoring) run(ctx context.Context) error {
	about := r.backup.about
	if about.Queue != r.queue.Name() && !r.another {
		return fmt.Errorf("%s is of the queue %s, not of %s: --queue %s puts it there, --another-queue into this one; nothing was changed",
			r.file, quoted(about.Queue), r.queue.Name(), quoted(about.Queue))
	}
	s, err := r.inspect(ctx)
	if err != nil {
		return err
	}
	r.say("%s: orderq %s of queue %s, begun %s (%s ago): %s, %s, %d finished", r.file, about.MadeBy, about.Queue,
		r.moment(about.Begun.Local()), span(s.Time.Sub(about.Begun)), several(r.backup.counts.Unfinished, "unfinished order"),
		several(r.backup.counts.Dead, "dead letter"), r.backup.counts.Finished)
	if r.backup.damage != nil {
		r.say("note: the file is damaged, and taken only up to there: %v", r.backup.damage)
	}
	if err := r.foretell(ctx); err != nil {
		return err
	}
	r.warn(s)
	if r.dryRun {
		if r.format == "jsonl" {
			return nil // each order was told
		}
		return r.forecast.show(r.view)
	}
	if err := r.confirm(ctx, r.question()); err != nil {
		return err
	}
	return r.finish(r.putAll(ctx))
}

// question says what would be sent.
func (r *restoring) question() string {
	f := r.forecast
	text := several(f.Waiting, "order") + " would wait again"
	if f.SentBefore > 0 {
		text += fmt.Sprintf(", %d of which the partner may have", f.SentBefore)
	}
	return fmt.Sprintf("%s; %s come back. Put them in?", text, several(f.DeadLetters, "dead letter"))
}

// warn tells what the queue cannot know.
func (r *restoring) warn(s streamutil.Snapshot) {
	switch {
	case r.forecast.Waiting == 0 || r.deliveredFile != "":
	case r.acquainted == 0:
		r.say("note: this queue knows none of these orders. What was delivered after %s would be sent again, under the same Idempotency-Key: "+
			"--delivered FILE names those orders", r.moment(r.backup.about.Begun.Local()))
	case s.Time.Sub(r.backup.about.Begun) > r.queue.Retention():
		r.say("note: the backup is older than %s, for which finished orders are known (queue.retention). What was delivered before that and after %s "+
			"would be sent again, under the same Idempotency-Key: --delivered FILE names those orders", span(r.queue.Retention()), r.moment(r.backup.about.Begun.Local()))
	}
	if r.forecast.SentBefore > 0 {
		r.say("note: the partner may have %s: sent before the backup, and not known as delivered", several(r.forecast.SentBefore, "order"))
	}
}
