package campaign

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// imported is how many items the import tests move.
func imported(t *testing.T) int {
	t.Helper()
	return howMany(t, "ORDERQ_TEST_IMPORT", 5000)
}

// mover is an orderq import-list, the list that it empties, and the queue.
type mover struct {
	*system
	old     *redistest.Server
	tail    bool
	items   []string
	process *process
}

const movedList = "order_queue"

// newMover makes items of all kinds: a third are orders that are all alike and
// have no id, one in a hundred is no order and has bytes that are no text.
func newMover(t *testing.T, c setup, tail bool, n int, flags ...string) *mover {
	t.Helper()
	c.Pace, c.Lease, c.Timeout, c.MaxInFlight = "10/s", 3*time.Second, time.Second, 10
	m := &mover{system: newSystem(t, c), old: redistest.Start(t), tail: tail}
	for i := range n {
		switch {
		case i%100 == 7:
			m.items = append(m.items, fmt.Sprintf("\x00\xff\r\n junk %d", i))
		case i%3 == 0:
			m.items = append(m.items, `{"item":"TEA-01"}`)
		default:
			m.items = append(m.items, fmt.Sprintf(`{"order_id":"A-%d","note":%q}`, i, strings.Repeat("x", i%300)))
		}
	}
	m.process = m.system.process("import-list", m.config("import", redistest.FreeAddress(t), 0))
	end := map[bool]string{true: "tail", false: "head"}[tail]
	m.process.args = append(m.process.args, movedList, "--from", "redis://"+m.old.Addr(), "--end", end, "--make-ids", "--yes", "-o", "json")
	m.process.args = append(m.process.args, flags...)
	return m
}

// push is the old system's pusher.
func (m *mover) push(items []string) error {
	verb := "RPUSH"
	if m.tail {
		verb = "LPUSH"
	}
	_, err := m.old.Do(append([]string{verb, movedList}, items...)...)
	return err
}

// removed is how many items were taken out of the list so far.
func (m *mover) removed() int {
	m.t.Helper()
	n, _ := strconv.Atoi(m.old.CLI("GET", "{"+movedList+"}:orderq-imported"))
	return n
}

// judge compares what is in the queue and among the dead letters with what was pushed.
func (m *mover) judge() {
	m.t.Helper()
	var orders, junk, gotOrders, gotJunk []string
	for _, item := range m.items {
		if strings.HasPrefix(item, "{") {
			orders = append(orders, item)
		} else {
			junk = append(junk, item)
		}
	}
	for after := (streamutil.EntryID{}); ; {
		page, err := m.queue.Entries(m.t.Context(), after, 1000)
		if err != nil {
			m.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			gotOrders, after = append(gotOrders, string(e.Body)), e.Entry
		}
	}
	for after := (streamutil.EntryID{}); ; {
		page, err := m.queue.DeadLetters(m.t.Context(), after, 1000)
		if err != nil {
			m.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			gotJunk, after = append(gotJunk, string(l.Body)), l.ID
		}
	}
	m.equal("orders", orders, gotOrders)
	m.equal("dead letters", junk, gotJunk)
}

func (m *mover) equal(what string, want, got []string) {
	m.t.Helper()
	if diff := unequal(want, got); diff != "" {
		m.t.Errorf("%s: %s", what, diff)
	}
}

// unequal tells the first difference of two sequences; empty if there is none.
func unequal(want, got []string) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("number %d of %d is %q, want %q of %d", i, len(got), got[i], want[i], len(want))
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%d, want %d", len(got), len(want))
	}
	return ""
}

// said is the result that the last run printed.
func (m *mover) said() (r struct {
	Enqueued   int     `json:"enqueued"`
	Duplicates int     `json:"duplicates"`
	Seconds    float64 `json:"seconds"`
	PerSecond  int     `json:"per_second"`
},
) {
	m.t.Helper()
	text, err := os.ReadFile(m.process.log)
	if err != nil {
		m.t.Fatal(err)
	}
	begin := strings.LastIndex(string(text), "\n{")
	if begin < 0 {
		m.t.Fatalf("no result in %s", text)
	}
	if err := json.NewDecoder(strings.NewReader(string(text)[begin:])).Decode(&r); err != nil {
		m.t.Fatalf("%v in %s", err, text[begin:])
	}
	return r
}

// longest is a server's longest script, as its SLOWLOG has it from a tenth of a
// millisecond on.
func longest(t *testing.T, s *redistest.Server) time.Duration {
	t.Helper()
	reply, err := s.Do("SLOWLOG", "GET", "-1")
	if err != nil {
		t.Fatal(err)
	}
	var most int64
	for _, e := range reply.([]any) {
		entry := e.([]any)
		if name, _ := entry[3].([]any)[0].(string); strings.HasPrefix(strings.ToUpper(name), "EVAL") {
			most = max(most, entry[2].(int64))
		}
	}
	return time.Duration(most) * time.Microsecond
}

// pushWhile pushes the items from the first one on, few at a time, until all are
// there, and holds back so that a while passes.
func (m *mover) pushWhile(from int, seed uint64, pause time.Duration) <-chan error {
	done, random := make(chan error, 1), rand.New(rand.NewPCG(seed, 2))
	go func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for part := range slices.Chunk(m.items[from:], 40+random.IntN(60)) {
			if err := m.push(part); err != nil {
				done <- err
				return
			}
			<-tick.C
		}
		done <- nil
	}()
	return done
}
