package ops

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"orderq/streamutil"
)

// backupFile is a backup while it is written. Orders are personal data: nobody else
// may read it.
type backupFile struct {
	*blockWriter
	counts backupCounts
}

// backupCounts is how much there is in a backup.
type backupCounts struct {
	Unfinished int `json:"unfinished"`
	Dead       int `json:"dead"`
	Finished   int `json:"finished"`
}

func (n *backupCounts) add(what byte, orders int) {
	switch what {
	case blockUnfinished:
		n.Unfinished += orders
	case blockDead:
		n.Dead += orders
	case blockFinished:
		n.Finished += orders
	}
}

// createBackupFile makes a file, which must not exist.
func createBackupFile(name string, about aboutBackup) (*backupFile, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	w, err := newBlockWriter(f)
	if err == nil {
		var line []byte
		if line, err = plainJSON(about); err == nil {
			err = w.put(blockAbout, line)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(name))
	}
	return &backupFile{blockWriter: w}, nil
}

func (b *backupFile) name() string { return b.file.Name() }

// add appends orders as a block.
func (b *backupFile) add(what byte, copies []streamutil.Copy) error {
	if len(copies) == 0 {
		return nil
	}
	lines, err := saving(copies)
	if err != nil {
		return err
	}
	b.counts.add(what, len(copies))
	return b.put(what, lines)
}

// addSafely appends unfinished orders, and comes back when they are on the disk.
func (b *backupFile) addSafely(copies []streamutil.Copy) error {
	if err := b.add(blockUnfinished, copies); err != nil {
		return err
	}
	return b.sync()
}

// remove takes the file away.
func (b *backupFile) remove() error { return errors.Join(b.file.Close(), os.Remove(b.name())) }

// fileSize is how long a file is; 0 if that cannot be known.
func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// fileTime is the moment in a file's name.
func fileTime(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// backupName names the backup of a queue; a queue's name has no dot.
func backupName(queue string, begun time.Time) string {
	return "orderq-" + queue + "-" + fileTime(begun) + ".zst"
}

// purgedName names what purge writes, so that no backup of any queue is called so.
func purgedName(queue string, begun time.Time) string {
	return "orderq-" + queue + "-" + fileTime(begun) + ".purged.zst"
}

// partName names a backup that is not whole yet.
func partName(name string) string { return "." + name + ".part" }

// partAge is after how long such a file is what a dead program has left.
const partAge = 24 * time.Hour

// prune removes what was left of backups of a queue that were never whole, and, unless
// keep is 0, all of its backups but the one just made and the newest others. It gives
// the names of the backups.
func prune(made, queue string, keep int) ([]string, error) {
	dir := filepath.Dir(made)
	mine := regexp.MustCompile(`^orderq-` + regexp.QuoteMeta(queue) + `-\d{8}T\d{6}Z\.zst$`)
	files, err := os.ReadDir(dir)
	if err != nil {
		return []string{}, fmt.Errorf("look for older backups: %w", err)
	}
	others := []string{} // oldest first, as ReadDir sorts them
	for _, f := range files {
		if mine.MatchString(f.Name()) && f.Name() != filepath.Base(made) {
			others = append(others, f.Name())
		}
		whole := strings.TrimSuffix(strings.TrimPrefix(f.Name(), "."), ".part")
		if info, err := f.Info(); err == nil && f.Name() == partName(whole) && mine.MatchString(whole) && time.Since(info.ModTime()) > partAge {
			_ = os.Remove(filepath.Join(dir, f.Name())) // the next backup tries again
		}
	}
	if keep == 0 {
		return []string{}, nil
	}
	others = others[:max(0, len(others)-(keep-1))]
	for i, name := range others {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return others[:i], fmt.Errorf("an older backup could not be removed: %w", err)
		}
	}
	return slices.Clip(others), nil
}

// syncDir comes back when the names in a directory are on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write the backup's name to the disk: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("write the backup's name to the disk: %w", err)
	}
	return nil
}
