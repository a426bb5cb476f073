package ops_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	d.check(typed{line: "restore " + file + " --dry-run", out: []string{"waiting again\t4"}, err: []string{"knows of no order at all", "--delivered FILE"}})
	// The partner's list, and our own log.
	write("# from the partner\nB\n\nX-9\n" + log + `{"order_id":"C","outcome":"failed"}` + "\n")
	d.check(typed{line: "restore " + file + " --dry-run --delivered " + list, out: []string{"waiting again\t2", "delivered since\t2"}, err: []string{"dry run"}})
	d.check(typed{line: "restore " + file + " --yes --no-pause --delivered " + list, out: []string{"waiting again\t2", "delivered since\t2"}, err: []string{"queue"}})
	d.states(map[string]streamutil.State{"A": "delivered", "B": "delivered", "C": "waiting", "D": "waiting", "X-9": "delivered"})
	if d.snapshot().Pause != nil {
		t.Error("it is paused in spite of --no-pause")
	}
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
	file := d.backup(dir, "--keep", "2")
	names := map[string]bool{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names[f.Name()] = true
	}
	want := map[string]bool{filepath.Base(file): true, old[2]: true}
	for _, name := range others {
		want[name] = true
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
