package ops

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

// sample is one order of each kind, with bytes that are no text.
func sample() map[byte][]streamutil.Copy {
	at := time.UnixMilli(1_764_550_800_123).UTC()
	return map[byte][]streamutil.Copy{
		blockUnfinished: {
			{OrderID: "A-1", State: streamutil.Waiting, Body: []byte(`{"order_id":"A-1","note":"<&>"}`), Accepted: at, Entry: streamutil.EntryID{Ms: 5}},
			{OrderID: "A-2", State: streamutil.Parked, Body: []byte("\xff\x00"), TraceParent: "00-1-2-01", Accepted: at, Attempts: 2, Entry: streamutil.EntryID{Ms: 5, Seq: 1}},
		},
		blockDead: {{
			OrderID: "\xfe", State: streamutil.Dead, Reason: "undecodable", Raw: "{\"x\":\"\xff\"}", Mark: "entry:1", Answer: "n\xfco", Status: 422,
		}},
		blockFinished: {{OrderID: "A-0", State: streamutil.Delivered, BodyHash: "00", Finished: at, Left: time.Hour, Outcome: streamutil.OutcomeDelivered}},
	}
}

// smallBackup is the content of a backup file, and where its blocks end.
func smallBackup(t testing.TB) []byte {
	t.Helper()
	b, err := createBackupFile(filepath.Join(t.TempDir(), "b"), aboutBackup{Format: backupFormat, Queue: "orders", MadeBy: madeByBackup})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []byte{blockUnfinished, blockDead, blockFinished} {
		if err := b.add(what, sample()[what]); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(b.name())
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestBackupComesBack(t *testing.T) {
	b, err := openBackup(bytes.NewReader(smallBackup(t)))
	if err != nil {
		t.Fatal(err)
	}
	if want := (backupCounts{Unfinished: 2, Dead: 1, Finished: 1}); b.counts != want || b.about.Queue != "orders" {
		t.Errorf("%+v of %+v, want %+v", b.counts, b.about, want)
	}
	for what, want := range sample() {
		var got []streamutil.Copy
		for copies, err := range b.orders(what) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, copies...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%c (-was +is):\n%s", what, d)
		}
	}
}

// A file that is not what was written is refused, wherever it was cut or changed.
func TestDamagedBackups(t *testing.T) {
	whole := smallBackup(t)
	refused := func(what string, content []byte) {
		t.Helper()
		if _, err := openBackup(bytes.NewReader(content)); !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n := range whole {
		refused(fmt.Sprintf("cut off after %d bytes", n), whole[:n])
		for bit := range 8 {
			flipped := bytes.Clone(whole)
			flipped[n] ^= 1 << bit
			refused(fmt.Sprintf("bit %d of byte %d flipped", bit, n), flipped)
		}
	}
	refused("with something behind it", append(bytes.Clone(whole), 0))
	refused("twice", append(bytes.Clone(whole), whole...))
	t.Logf("%d cuts and %d flipped bits refused", len(whole), 8*len(whole))
}

// What stands before the damage is known, and no more.
func TestBackupUpToDamage(t *testing.T) {
	whole := smallBackup(t)
	b, err := openBackup(bytes.NewReader(whole[:len(whole)-blockHead-1]))
	if !errors.Is(err, errDamaged) {
		t.Fatal(err)
	}
	if want := (backupCounts{Unfinished: 2, Dead: 1}); b.counts != want {
		t.Errorf("%+v, want %+v", b.counts, want)
	}
	for what, want := range map[byte]int{blockUnfinished: 2, blockDead: 1, blockFinished: 0} {
		got := 0
		for copies, err := range b.orders(what) {
			if err != nil {
				t.Error(err)
			}
			got += len(copies)
		}
		if got != want {
			t.Errorf("%c: %d, want %d", what, got, want)
		}
	}
}

func TestNewerBackup(t *testing.T) {
	b, err := createBackupFile(filepath.Join(t.TempDir(), "b"), aboutBackup{Format: backupFormat + 1, Queue: "orders"})
	if err == nil {
		err = b.put('X', []byte("who knows"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openBackup(b.file); err == nil || errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "upgrade") {
		t.Errorf("%v", err)
	}
}

// What a write has left that found the disk full is taken away again.
func TestBlockThatFoundNoRoom(t *testing.T) {
	b, err := createBackupFile(filepath.Join(t.TempDir(), "b"), aboutBackup{Format: backupFormat})
	if err == nil {
		err = b.add(blockUnfinished, sample()[blockUnfinished])
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, rest := range []int{1, blockHead, blockHead + 20, 5000} {
		if _, err := b.file.WriteAt(bytes.Repeat([]byte("x"), rest), b.at); err != nil {
			t.Fatal(err)
		}
		if err := b.endHere(); err != nil {
			t.Fatal(err)
		}
		if read, err := openBackup(b.file); err != nil || read.counts.Unfinished != 2 {
			t.Errorf("after %d bytes: %+v, %v", rest, read, err)
		}
	}
}

func FuzzBackup(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("not a backup"))
	f.Add(smallBackup(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		if b, err := openBackup(bytes.NewReader(content)); err == nil && b.blocks == 0 {
			t.Error("an empty file is no backup")
		}
	})
}
