package ops

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// backupFolder is where backups go unless another folder is named.
const backupFolder = "/var/lib/orderq/backup"

func newBackupCommand(open Open) *cobra.Command {
	var keep int
	var giveUp time.Duration
	cmd := &cobra.Command{
		Use:   "backup [DIR]",
		Short: "Write the whole queue to a file",
		Long: "Writes every order that is not finished, every dead letter, and what is known of\n" +
			"finished orders, to DIR/orderq-QUEUE-TIME.zst, readable by you alone: bodies are in\n" +
			"it. DIR is " + backupFolder + " unless another is named. While it runs, the\n" +
			"queue goes on; an order that was unfinished when it began is in the file in any case.\n\n" +
			"The file gets its name when it is whole, on the disk, and was read again. --keep N\n" +
			"then removes all backups of this queue in DIR but the newest N.",
		Example: "  orderq backup\n  orderq backup /srv/backup --keep 7\n  orderq backup . --dry-run",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1 && args[0] == "") {
				return usagef("backup: want one folder at most, as in orderq backup /srv/backup")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if keep < 0 {
				return usagef("--keep %d: want how many backups to keep, or 0 for all", keep)
			}
			if giveUp < 0 {
				return usagef("--give-up-after %s: want no time below zero", giveUp)
			}
			dir := backupFolder
			if len(args) == 1 {
				dir = args[0]
			}
			return alter(cmd, open, "", func(ctx context.Context, c *change) error { return c.backup(ctx, dir, keep, giveUp) })
		},
	}
	cmd.Flags().IntVar(&keep, "keep", 0, "how many backups of this queue to keep in DIR, this one included (default all)")
	cmd.Flags().DurationVar(&giveUp, "give-up-after", 5*time.Minute, "how long to go on trying while Redis is away")
	return cmd
}

// backupResult is what backup -o json shows; scripts rely on its keys.
type backupResult struct {
	DryRun bool   `json:"dry_run"`
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	backupCounts
	Removed []string `json:"removed"`
	Seconds float64  `json:"seconds"`
}

func (c *change) backup(ctx context.Context, dir string, keep int, giveUp time.Duration) error {
	b := &backing{persistence: persistence{change: c, progress: newProgress(c.view), giveUp: giveUp}}
	s, err := b.begin(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	name := filepath.Join(dir, backupName(c.queue.Name(), began))
	r := backupResult{DryRun: c.dryRun, File: name, Removed: []string{}}
	if c.dryRun {
		r.Unfinished, r.Dead = int(s.Length), int(s.Dead)
		return c.show(r, r.lines())
	}
	if err := b.write(ctx, name, s.Time); err != nil {
		return err
	}
	r.backupCounts = b.file.counts
	if r.Removed, err = prune(name, c.queue.Name(), keep); err != nil {
		return fmt.Errorf("%s is whole, but: %w", name, err)
	}
	r.Bytes, r.Seconds = fileSize(name), seconds(time.Since(began))
	c.say("to put it back: %s restore %s", c.again, quoted(name))
	return c.show(r, r.lines())
}

func (r backupResult) lines() [][]string {
	lines := [][]string{{"file", r.File}}
	if !r.DryRun {
		lines = append(lines, []string{"size", size(r.Bytes)})
	}
	lines = append(lines, []string{"not finished", strconv.Itoa(r.Unfinished)}, []string{"dead letters", strconv.Itoa(r.Dead)})
	if r.DryRun {
		return lines
	}
	return append(lines, []string{"finished", strconv.Itoa(r.Finished)}, []string{"older ones removed", strconv.Itoa(len(r.Removed))},
		[]string{"took", span(time.Duration(r.Seconds * float64(time.Second)))})
}

// write writes the queue to a file under another name, and gives it its own when it is
// on the disk and can be read.
func (b *backing) write(ctx context.Context, name string, begun time.Time) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return folderFault(err)
	}
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists: there was a backup within this second", name)
	}
	part := filepath.Join(dir, partName(filepath.Base(name)))
	var err error
	b.file, err = createBackupFile(part, aboutBackup{
		Format: backupFormat, Queue: b.queue.Name(), Redis: b.queue.Redis(), MadeBy: madeByBackup, Begun: begun.UTC(), Last: b.upTo,
	})
	if err != nil {
		return folderFault(err)
	}
	err = b.copyAll(ctx)
	if err == nil {
		err = b.file.sync()
	}
	if err == nil {
		err = b.file.verify()
	}
	if err != nil {
		return errors.Join(err, b.file.remove())
	}
	err = b.file.file.Close()
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the backup: %w", err), os.Remove(part))
	}
	return syncDir(dir)
}

func folderFault(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; name a folder that you may write to, as in orderq backup DIR, or have the service write it to %s: systemctl start orderq-backup", err, backupFolder)
	}
	return fmt.Errorf("make the backup: %w", err)
}

// verify reads the file again: it must hold what was written.
func (b *backupFile) verify() error {
	if _, err := b.file.Seek(0, 0); err != nil {
		return fmt.Errorf("read the backup again: %w", err)
	}
	read, err := openBackup(b.file)
	if err != nil {
		return fmt.Errorf("read the backup again: %w", err)
	}
	if read.counts != b.counts {
		return fmt.Errorf("read the backup again: it has %+v, and %+v was written", read.counts, b.counts)
	}
	return nil
}
