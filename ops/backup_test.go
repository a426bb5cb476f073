package ops_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// flush makes Redis forget the queue.
func (d *desk) flush() {
	d.t.Helper()
	redistest.Shared(d.t).CLI("EVAL", "for _, k in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', k) end", "0", "orderq:{"+d.queue+"}:*")
}

// backup makes one, and gives its name.
func (d *desk) backup(dir string, args ...string) string {
	d.t.Helper()
	rows := cells(d.must(append([]string{"backup", dir}, args...)...))
	return rows["file"]
}

// waiting lists what waits, in its order.
func (d *desk) waiting() (ids []string) {
	d.t.Helper()
	list, err := d.q.Entries(d.t.Context(), streamutil.EntryID{}, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range list {
		ids = append(ids, e.OrderID)
	}
	return ids
}

func TestBackupAndRestore(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	dir := t.TempDir()
	file := d.backup(dir)
	if want := filepath.Join(dir, "orderq-"+d.queue+"-"); !strings.HasPrefix(file, want) || !strings.HasSuffix(file, "Z.zst") {
		t.Errorf("the file is %s", file)
	}
	want := []string{
		`parked parked {"id":"parked"}`, `parked-2 parked {"id":"parked-2"}`, `in-flight in_flight {"id":"in-flight"}`,
		`waiting waiting {"id":"waiting"}`, `waiting-2 waiting {"id":"waiting-2"}`, `dead dead {"id":"dead"}`,
	}
	got := saved(t, file)
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" || len(got) != len(want)+2 {
		t.Errorf("in the file (-want +got): %s\n%q", diff, got)
	}
	d.check(typed{line: "restore " + file, code: 2, err: []string{"--yes"}})
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t0", "delivered since\t0", "in the queue\t6"}, err: []string{"5 unfinished orders, 1 dead letter, 2 finished"}})
	if d.snapshot().Pause != nil {
		t.Error("it is paused, though nothing was put in")
	}

	d.flush()
	d.submit("new")
	d.check(typed{
		line: "restore " + file + " --dry-run",
		out:  []string{"waiting again\t5", "  sent before\t3", "delivered since\t0", "in the queue\t0", "dead letters\t1", "finished\t2"},
		err:  []string{"dry run", "the partner may have 3 orders"},
	})
	if d.state("waiting") != "none" {
		t.Error("a dry run has put something in")
	}
	d.check(typed{
		line: "restore " + file + " --yes --reason 'the disk died'",
		out:  []string{"waiting again\t5", "  sent before\t3", "dead letters\t1", "finished\t2"},
		err:  []string{"the queue is paused; to have them sent: orderq resume", "undo: orderq purge"},
	})
	d.states(map[string]streamutil.State{
		"dead": "dead", "delivered": "delivered", "cancelled": "cancelled", "parked": "waiting", "parked-2": "waiting",
		"in-flight": "waiting", "waiting": "waiting", "waiting-2": "waiting", "new": "waiting",
	})
	if diff := cmp.Diff([]string{"new", "parked", "parked-2", "in-flight", "waiting", "waiting-2"}, d.waiting()); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
	if p := d.snapshot().Pause; p == nil || p.By != (streamutil.Act{Who: "anna@shop-1", Why: "the disk died"}) {
		t.Errorf("the pause is %+v", p)
	}
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t0", "in the queue\t6", "finished\t0"}, err: []string{"queue"}})
}

// What was delivered since is not sent again.
func TestRestoreOfWhatWasDelivered(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	d.submit("A", "B", "C", "D")
	file := d.backup(t.TempDir())
	w.ends(w.next(), streamutil.Settlement{Outcome: streamutil.OutcomeDelivered, Status: 200})
	log := d.must("tail", "-o", "jsonl")
	d.check(typed{line: "restore " + file + " --yes --no-pause", out: []string{"waiting again\t0", "delivered since\t1", "in the queue\t3"}, err: []string{"queue"}})

	d.flush()
	list := filepath.Join(t.TempDir(), "delivered")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("B\nsecret data\n")
	out, errs, err := d.run("restore", file, "--yes", "--delivered", list)
	if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(out+errs+err.Error(), "secret") {
		t.Errorf("%q, %q, %v", out, errs, err)
	}
	d.check(typed{line: "restore " + file + " --dry-run", out: []string{"waiting again\t4"}, err: []string{"knows none of these orders", "--delivered FILE"}})
	// The partner's list, and our own log. What waits and is not in the backup is left alone.
	d.submit("X-9")
	write("# from the partner\nB\n\nX-9\n" + log + `{"order_id":"C","outcome":"failed"}` + "\n" + `{"what":"requeue","order_id":"D","state":null}` + "\n")
	d.check(typed{line: "restore " + file + " --dry-run --delivered " + list, out: []string{"waiting again\t2", "delivered since\t2"}, err: []string{"dry run"}})
	d.check(typed{line: "restore " + file + " --yes --no-pause --delivered " + list, out: []string{"waiting again\t2", "delivered since\t2"}, err: []string{"queue"}})
	d.states(map[string]streamutil.State{"A": "delivered", "B": "delivered", "C": "waiting", "D": "waiting", "X-9": "waiting"})
	if d.snapshot().Pause != nil {
		t.Error("it is paused in spite of --no-pause")
	}
}

// Lines of a log that tell of something else do not make an order delivered.
func TestDeliveredOfALog(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	w.bury(422, "requeued", "cancelled", "dead", "dropped", "dropped-2")
	d.must("dead", "requeue", "requeued", "cancelled", "--yes")
	d.must("cancel", "cancelled", "--yes")
	d.must("dead", "drop", "dropped", "--yes")
	d.must("dead", "drop", "dropped-2", "--delivered", "--yes")
	file := d.backup(t.TempDir())
	list := filepath.Join(t.TempDir(), "delivered")
	lines := d.must("tail", "-o", "jsonl", "--limit", "1000") + `{"level":"debug","msg":"order accepted","order_id":"dead"}` + "\n"
	if err := os.WriteFile(list, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	d.flush()
	d.check(typed{
		line: "restore " + file + " --yes --delivered " + list,
		out:  []string{"waiting again\t1", "delivered since\t0", "dead letters\t1", "finished\t3"}, err: []string{"queue"},
	})
	d.states(map[string]streamutil.State{
		"requeued": "waiting", "cancelled": "cancelled", "dead": "dead", "dropped": "dead", "dropped-2": "delivered",
	})
	if letters := d.letters(); len(letters) != 1 || letters[0].OrderID != "dead" {
		t.Errorf("the dead letters are %+v", letters)
	}
}

// What --delivered says is foretold, and read once: it may be a pipe.
func TestDeliveredFromAPipe(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	w.bury(422, "dead")
	d.submit("A", "B")
	file := d.backup(t.TempDir())
	purged := filepath.Join(t.TempDir(), "purged")
	d.must("purge", "--yes", "--backup", purged)
	pipe := func() string {
		t.Helper()
		r, w, err := os.Pipe()
		if err == nil {
			_, err = w.WriteString("A\ndead\n")
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return fmt.Sprintf("/dev/fd/%d", r.Fd())
	}
	// Of a purge: what the partner has does not wait again.
	d.check(typed{line: "restore " + purged + " --dry-run --delivered " + pipe(), out: []string{"waiting again\t1"}, err: []string{"queue"}})
	d.check(typed{line: "restore " + purged + " --yes --delivered " + pipe(), out: []string{"waiting again\t1"}, err: []string{"queue"}})
	d.states(map[string]streamutil.State{"A": "cancelled", "B": "waiting"})

	d.flush()
	d.submit("A") // once more, in the running queue
	want := []string{"waiting again\t1", "delivered since\t2", "in the queue\t0", "dead letters\t0"}
	d.check(typed{line: "restore " + file + " --dry-run --delivered " + pipe(), out: want, err: []string{"queue"}})
	d.check(typed{line: "restore " + file + " --yes --delivered " + pipe(), out: want, err: []string{"queue"}})
	d.states(map[string]streamutil.State{"A": "delivered", "B": "waiting", "dead": "delivered"})
}

// What was deleted by hand is foretold to wait again, and the queue is paused for it.
func TestRestoreOfWhatWasDeleted(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A", "B")
	file := d.backup(t.TempDir())
	redistest.Shared(t).CLI("DEL", "orderq:{"+d.queue+"}:stream")
	d.check(typed{line: "restore " + file + " --dry-run", out: []string{"waiting again\t2"}, err: []string{"queue"}})
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t2"}, err: []string{"the queue is paused"}})
	if d.snapshot().Pause == nil {
		t.Error("it is not paused")
	}
}

// A pause that would end by itself is no pause for a person to look.
func TestRestoreReplacesAShortPause(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A")
	file := d.backup(t.TempDir())
	d.flush()
	d.must("pause", "--for", "1h", "--reason", "lunch")
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t1"}, err: []string{"replaces a pause", "lunch"}})
	if p := d.snapshot().Pause; p == nil || !p.Until.IsZero() {
		t.Errorf("the pause is %+v", p)
	}
}

// An order that was requeued while the backup was made comes back as it was at its end.
func TestRestoreOfWhatWasRequeuedMeanwhile(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	w.bury(422, "A")
	file := d.backupWhile(t, func() { d.must("dead", "requeue", "A", "--yes") })
	d.flush()
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t1", "dead letters\t0"}, err: []string{"queue"}})
	d.states(map[string]streamutil.State{"A": "waiting"})
}

// backupWhile makes one, and lets something happen when the dead letters have been read.
func (d *desk) backupWhile(t *testing.T, happen func()) string {
	t.Helper()
	proxy := faultconn.Listen(t, d.addr)
	looks := 0
	proxy.CutBefore(func(args []string) bool {
		if strings.EqualFold(args[0], "XINFO") && strings.EqualFold(args[1], "STREAM") {
			if looks++; looks == 2 {
				happen()
			}
		}
		return false
	})
	through := &desk{t: t, addr: proxy.Addr(), queue: d.queue}
	file := through.backup(t.TempDir())
	if looks < 4 {
		t.Errorf("it looked %d times for what moved", looks)
	}
	return file
}

// A purge is undone from its file; what somebody cancelled stays cancelled.
func TestPurgeIsUndone(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A", "B", "C")
	d.must("cancel", "B", "--yes")
	file := filepath.Join(t.TempDir(), "purged")
	d.must("purge", "--yes", "--backup", file)
	backup := d.backup(t.TempDir()) // of the purged queue
	d.check(typed{line: "restore " + backup + " --yes", out: []string{"waiting again\t0", "finished\t0"}, err: []string{"queue"}})
	d.check(typed{
		line: "restore " + file + " --dry-run -o jsonl --body",
		out: []string{
			`{"order_id":"A","state":"waiting","becomes":"waiting","attempts":0,"body":"{\"id\":\"A\"}"}`,
			`{"order_id":"C","state":"waiting","becomes":"waiting","attempts":0,"body":"{\"id\":\"C\"}"}`,
		}, err: []string{"dry run"},
	})
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t2"}, err: []string{"queue"}})
	d.states(map[string]streamutil.State{"A": "waiting", "B": "cancelled", "C": "waiting"})
	if s := d.snapshot(); s.Totals.Accepted != 3 || s.Totals.Cancelled != 1 {
		t.Errorf("the totals are %+v", s.Totals)
	}
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t0", "in the queue\t2"}, err: []string{"queue"}})
}

func TestRestoreRefuses(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A", "B")
	dir := t.TempDir()
	file := d.backup(dir)
	other := newDesk(t, d.addr)
	other.check(typed{line: "restore " + file + " --yes", code: 1, err: []string{"of the queue " + d.queue, "--another-queue", "nothing was changed"}})
	other.check(typed{line: "restore " + file + " --yes --another-queue", out: []string{"waiting again\t2"}, err: []string{"queue"}})
	other.states(map[string]streamutil.State{"A": "waiting", "B": "waiting"})

	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cut, junk := filepath.Join(dir, "cut"), filepath.Join(dir, "junk")
	for name, part := range map[string][]byte{cut: content[:len(content)-1], junk: []byte("junk")} {
		if err := os.WriteFile(name, part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.flush()
	d.check(typed{line: "restore " + cut + " --yes", code: 1, err: []string{"cut off", "nothing was changed", "--up-to-damage", "2 unfinished orders"}})
	d.check(typed{line: "restore " + junk + " --yes --up-to-damage", code: 1, err: []string{"no backup of orderq"}})
	d.check(typed{line: "restore " + filepath.Join(dir, "none") + " --yes", code: 1, err: []string{"no such file"}})
	if d.state("A") != "none" {
		t.Error("something was put in")
	}
	d.check(typed{line: "restore " + cut + " --yes --up-to-damage", out: []string{"waiting again\t2"}, err: []string{"the file is damaged"}})
	d.check(typed{line: "restore", code: 2, err: []string{"want one file"}})
	d.check(typed{line: "backup a b", code: 2, err: []string{"want one folder"}})
	d.check(typed{line: "backup --keep -1", code: 2, err: []string{"--keep"}})
}

// Only what is whole has a backup's name, and only backups of this queue are pruned.
func TestBackupKeepsTheNewest(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A")
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mine := "orderq-" + d.queue + "-"
	others := []string{
		"orderq-other-20200101T000000Z.zst", mine + "x-20200101T000000Z.zst", mine + "20200101T000000Z.purged.zst", "." + mine + "20300101T000000Z.zst.part",
	}
	old := []string{mine + "20200101T000000Z.zst", mine + "20200102T000000Z.zst", mine + "20200103T000000Z.zst"}
	dead := "." + mine + "20200101T000000Z.zst.part"
	for _, name := range append(append([]string{dead}, others...), old...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, dead), long, long); err != nil {
		t.Fatal(err)
	}
	d.check(typed{line: "backup " + dir + " --dry-run", out: []string{"not finished\t1"}, err: []string{"dry run"}})
	future := mine + "20990101T000000Z.zst" // made when the clock was wrong
	if err := os.WriteFile(filepath.Join(dir, future), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file := d.backup(dir, "--keep", "2")
	names := map[string]bool{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names[f.Name()] = true
	}
	want := map[string]bool{filepath.Base(file): true, future: true}
	for _, name := range others {
		want[name] = true
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Redis that is away for a moment ends no backup; one that has lost its data does.
func TestBackupWhileRedisIsAway(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	for i := range 200 {
		d.submit(fmt.Sprint("O-", i))
	}
	proxy := faultconn.Listen(t, d.addr)
	aPage := func(args []string) bool { return strings.EqualFold(args[0], "HMGET") && slices.Contains(args, "sent") }
	struck := proxy.CutBefore(aPage)
	through := &desk{t: t, addr: proxy.Addr(), queue: d.queue}
	if got := saved(t, through.backup(t.TempDir())); len(got) != 200 {
		t.Errorf("%d orders are in the file", len(got))
	}
	<-struck

	pages := 0
	proxy.CutBefore(func(args []string) bool {
		if aPage(args) {
			if pages++; pages == 20 {
				d.flush()
				d.submit("new")
			}
		}
		return false
	})
	dir := t.TempDir()
	_, _, err := through.run("backup", dir)
	if err == nil || !strings.Contains(err.Error(), "orders were lost") {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}
}

// Orders of any size are backed up a few at a time.
func TestBackupOfLargeOrders(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	body := []byte(strings.Repeat("x", 800<<10) + "\xff")
	for i := range 3 {
		if _, err := d.q.Enqueue(t.Context(), streamutil.NewOrder{ID: fmt.Sprint("L-", i), Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	file := d.backup(t.TempDir())
	d.flush()
	d.check(typed{line: "restore " + file + " --yes", out: []string{"waiting again\t3"}, err: []string{"queue"}})
	entries, err := d.q.Entries(t.Context(), streamutil.EntryID{}, 10)
	if err != nil || len(entries) != 3 || !bytes.Equal(entries[2].Body, body) {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}
