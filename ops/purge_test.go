package ops_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"orderq/internal/redistest"
)

// saved reads the orders of a backup file as any zstd gives them, each as "id state body".
func saved(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode is %v (%v), want 0600", info.Mode(), err)
	}
	unpacked, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer unpacked.Close()
	var all []string
	lines := bufio.NewScanner(unpacked)
	for n := 0; lines.Scan(); n++ {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if n > 0 { // the first is about the file
			all = append(all, fmt.Sprintf("%v %v %v", line["order_id"], line["state"], line["body"]))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPurge(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A", "B", "C")
	stream := "orderq:{" + d.queue + "}:stream"
	redistest.Shared(t).CLI("XADD", stream, "*", "junk", "1")
	redistest.Shared(t).CLI("XADD", stream, "*", "id", "raw", "body", "\xff")
	file := filepath.Join(t.TempDir(), "backup")
	d.check(typed{line: "purge", code: 2, err: []string{"--yes"}})
	d.check(typed{line: "purge --state dead --yes", code: 2, err: []string{"waiting or parked"}})
	d.check(typed{line: "purge --dry-run", out: []string{"cancelled", "5"}, err: []string{"5 orders would be cancelled"}})
	d.check(typed{line: "purge --yes --state parked", out: []string{"cancelled", "0"}})
	d.check(typed{
		line: "purge --yes --backup " + file + " --reason 'test data'",
		out:  []string{"cancelled", "3", "backup", file}, err: []string{"undo: orderq restore " + file},
	})
	want := []string{
		`A waiting {"id":"A"}`, `B waiting {"id":"B"}`, `C waiting {"id":"C"}`, " dead <nil>", "raw waiting map[base64:/w==]",
	}
	if diff := cmp.Diff(want, saved(t, file)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	s, err := d.q.Inspect(t.Context())
	if err != nil || s.Length != 0 || s.Totals.Cancelled != 3 {
		t.Errorf("%d are left, %d cancelled (%v)", s.Length, s.Totals.Cancelled, err)
	}
	d.submit("D")
	d.check(typed{line: "purge --yes --backup " + file, code: 1, err: []string{"exists", "--backup"}})
	d.check(typed{line: "purge --yes -o json --backup " + file + "2", out: []string{`"cancelled": 1`, `"backup": "`}, err: []string{"undo: orderq restore"}})
	d.check(typed{line: "purge --yes", out: []string{"cancelled", "0"}})
}

// What is in flight belongs to its consumer, and many pages are gone through.
func TestPurgeLeavesWhatIsInFlight(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	var ids []string
	for i := range 1201 {
		ids = append(ids, fmt.Sprint("O-", i))
	}
	d.submit(ids...)
	d.take("c")
	file := filepath.Join(t.TempDir(), "backup")
	d.check(typed{
		line: "purge --yes --backup " + file,
		out:  []string{"cancelled", "1200"}, err: []string{"1 order in flight left"},
	})
	if got := saved(t, file); len(got) != 1200 || !strings.HasPrefix(got[0], "O-1 ") {
		t.Errorf("%d orders are in the backup, the first %s", len(got), got[0])
	}
	if s, err := d.q.Inspect(t.Context()); err != nil || s.Length != 1 || s.InFlight != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// However a purge ended, the log knows of it, and so does each order.
func TestPurgeIsRecorded(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A")
	d.must("purge", "--yes", "--backup", filepath.Join(t.TempDir(), "backup"), "--reason", "test data")
	d.check(typed{line: "show A", out: []string{"cancelled", "purged from the queue by anna@shop-1: test data"}})
	d.check(typed{line: "tail", out: []string{"purge of 1 order begins", "test data", "purge ended: 1 order cancelled"}})
	d.check(typed{line: "show 0-0", code: 3, err: []string{"not found"}})
}
