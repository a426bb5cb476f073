package ops

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"orderq/streamutil"
)

// savedOrder is a line of a backup file.
type savedOrder struct {
	EntryID  streamutil.EntryID `json:"entry_id"`
	OrderID  string             `json:"order_id"`
	State    streamutil.State   `json:"state"`
	Accepted time.Time          `json:"accepted_at"`
	// Body is the order's exact bytes as text; what is no UTF-8 is in Body64.
	Body   string `json:"body,omitempty"`
	Body64 string `json:"body_base64,omitempty"`
	Trace  string `json:"trace_parent,omitempty"`
	// Fields is all that there was, of an entry that is no order.
	Fields map[string]string `json:"fields,omitempty"`
}

// backupFile is written before what is in it is taken out of the queue. Orders are
// personal data: nobody else may read it.
type backupFile struct {
	*os.File
	w    *bufio.Writer
	last int64 // where what was written last begins
}

// createBackup makes a new file; the name may be left open.
func createBackup(name, queue string) (*backupFile, error) {
	f, err := os.OpenFile(cmp.Or(name, purgedName(queue, time.Now())), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the backup file: %w; --backup names another", err)
	}
	return &backupFile{File: f, w: bufio.NewWriter(f)}, nil
}

func (b *backupFile) add(e streamutil.StoredEntry, state streamutil.State) error {
	line := savedOrder{
		EntryID: e.Entry, OrderID: e.OrderID, State: state, Accepted: e.Entry.Time().UTC(), Trace: e.Fields["trace"],
	}
	switch {
	case e.OrderID == "":
		line.Fields = e.Fields
	case utf8.Valid(e.Body):
		line.Body = string(e.Body)
	default:
		line.Body64 = base64.StdEncoding.EncodeToString(e.Body)
	}
	enc := json.NewEncoder(b.w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		return fmt.Errorf("write the backup file: %w", err)
	}
	return nil
}

// write adds entries, and comes back when they are on the disk.
func (b *backupFile) write(entries []streamutil.StoredEntry, held map[streamutil.EntryID]streamutil.State) error {
	at, err := b.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("write the backup file: %w", err)
	}
	b.last = at
	for _, e := range entries {
		if err := b.add(e, cmp.Or(held[e.Entry], streamutil.Waiting)); err != nil {
			return err
		}
	}
	if err := b.w.Flush(); err != nil {
		return fmt.Errorf("write the backup file: %w", err)
	}
	if err := b.Sync(); err != nil {
		return fmt.Errorf("write the backup file to the disk: %w", err)
	}
	return nil
}

// rewrite puts these in the place of what was written last.
func (b *backupFile) rewrite(entries []streamutil.StoredEntry, held map[streamutil.EntryID]streamutil.State) error {
	if err := b.Truncate(b.last); err != nil {
		return fmt.Errorf("write the backup file: %w", err)
	}
	if _, err := b.Seek(b.last, io.SeekStart); err != nil {
		return fmt.Errorf("write the backup file: %w", err)
	}
	return b.write(entries, held)
}

// remove takes back a file in which nothing was written.
func (b *backupFile) remove() error { return os.Remove(b.Name()) }
