package ops_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

const asksFirst = "no terminal to ask on: --yes"

func TestRetry(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	for _, c := range []typed{
		{line: "retry", code: 2, err: []string{"orderq retry: want at least one order id"}},
		{line: "retry parked waiting", code: 2, err: []string{asksFirst}},
		{
			line: "retry parked --dry-run", out: []string{"ORDER\tWAS\tRESULT\tNOTE\nparked\tparked\twould be done\tdue now\n"},
			err: []string{"queue " + d.queue, "dry run: nothing is changed\n", "1 would be done\n"},
		},
		{line: "retry waiting", out: []string{"waiting\twaiting\tnothing to do\tit waits its turn\n"}, err: []string{"1 nothing to do\n"}},
		{line: "retry in-flight", out: []string{"in-flight\tin_flight\tnothing to do\tit is being sent\n"}},
		{line: "retry dead", code: 1, out: []string{"dead\tdead\trefused\t"}, err: []string{"not done: dead is a dead letter: orderq dead requeue"}},
		{line: "retry delivered", code: 1, out: []string{"\trefused\t"}, err: []string{"delivered is delivered"}},
		{line: "retry cancelled", code: 1, out: []string{"\trefused\t"}, err: []string{"under a new id"}},
		{line: "retry none", code: 3, out: []string{"none\t-\tnot found\t-\n"}, err: []string{"not done: none not found\n"}},
	} {
		d.check(c)
	}
	d.states(map[string]streamutil.State{"parked": "parked", "parked-2": "parked"})
	if due := d.due(); due != 0 {
		t.Fatalf("%d orders are due before any was retried", due)
	}
	d.check(typed{
		line: "retry none parked dead --yes --reason why", code: 3,
		out: []string{"none\t-\tnot found\t-\nparked\tparked\tdone\tdue now\ndead\tdead\trefused\t"},
		err: []string{"1 done, 1 not found, 1 refused\n", "cannot be undone, and loses nothing", "not done: none not found; dead is a dead letter"},
	})
	if due := d.due(); due != 1 {
		t.Errorf("%d orders are due after one was retried", due)
	}
}

// due counts the parked orders that need not wait any longer.
func (d *desk) due() int {
	d.t.Helper()
	list, err := d.q.Pending(d.t.Context(), "parked", streamutil.EntryID{}, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	n := 0
	for _, p := range list {
		if p.Due == 0 {
			n++
		}
	}
	return n
}

// completes asks for what a shell would offer.
func (d *desk) completes(want string, words ...string) {
	d.t.Helper()
	out := d.must(append([]string{"__complete"}, words...)...)
	words = nil
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, ":") { // :4 says that no files are meant
			words = append(words, line)
		}
	}
	if got := strings.Join(words, " "); got != want {
		d.t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatTheShellCompletes(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	if _, err := d.q.Register(t.Context(), streamutil.Identity{Name: "w2", Pace: streamutil.Unlimited, Lease: time.Hour}); err != nil {
		t.Fatal(err)
	}
	d.completes("parked parked-2 in-flight waiting waiting-2 dead", "show", "")
	d.completes("dead", "show", "d")
	d.completes("parked-2", "retry", "parked", "parked")
	d.completes("rejected 422", "dead", "requeue", "--error", "")
	d.completes("rejected 422", "dead", "list", "--error", "rej")
	d.completes("parked w w2", "pending", "--consumer", "")
	d.completes("w w2", "pending", "--consumer", "w")
}

func TestRetryTellsWhatBlocksTheQueue(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	d.must("pause", "--reason", "lunch")
	d.check(typed{line: "retry parked", out: []string{"due now"}, err: []string{"note: the queue is paused by anna@shop-1: lunch"}})
}

func TestCancel(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	for _, c := range []typed{
		{line: "cancel", code: 2, err: []string{"orderq cancel: want at least one order id"}},
		{line: "cancel waiting parked", code: 2, err: []string{asksFirst}},
		{
			line: "cancel waiting parked in-flight --dry-run", code: 1,
			out: []string{"waiting\twaiting\twould be done\t-\nparked\tparked\twould be done\twas sent once; the partner may have it\nin-flight\tin_flight\trefused\t"},
			err: []string{"2 would be done, 1 refused\n", "not done: in-flight is in flight: wait for its outcome\n"},
		},
		{line: "cancel dead", code: 1, out: []string{"dead\tdead\trefused\t"}, err: []string{"orderq dead requeue and orderq dead drop"}},
		{line: "cancel delivered", code: 1, out: []string{"\trefused\t"}, err: []string{"the partner has it"}},
		{line: "cancel cancelled", out: []string{"cancelled\tcancelled\tnothing to do\tis cancelled\n"}},
		{line: "cancel none", code: 3, out: []string{"none\t-\tnot found\t-\n"}, err: []string{"not done: none not found\n"}},
	} {
		d.check(c)
	}
	d.states(map[string]streamutil.State{"waiting": "waiting", "parked": "parked", "in-flight": "in_flight"})
	d.check(typed{
		line: "cancel waiting --reason 'customer called'", out: []string{"waiting\twaiting\tdone\t-\n"},
		err: []string{"queue " + d.queue + " on redis " + d.addr + " db 0\n", "1 done\n", "cannot be undone; an order that the partner does not have may be submitted again under a new id\n"},
	})
	d.check(typed{
		line: "cancel in-flight parked waiting-2 --yes", code: 1,
		out: []string{"in-flight\tin_flight\trefused\t", "parked\tparked\tdone\twas sent once; the partner may have it\nwaiting-2\twaiting\tdone\t-\n"},
		err: []string{"2 done, 1 refused\n"},
	})
	d.states(map[string]streamutil.State{"waiting": "cancelled", "waiting-2": "cancelled", "parked": "cancelled", "in-flight": "in_flight"})
}

func TestFatesInJSON(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	out, _, err := d.run("cancel", "parked", "none", "--yes", "-o", "json")
	if code(err) != 3 {
		t.Errorf("exit code %d, want 3: %v", code(err), err)
	}
	var got []map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := []map[string]any{
		{
			"id": "parked", "order_id": "parked", "was": "parked", "cause": nil, "attempts": 1.0, "result": "done", "entry_id": nil,
			"note": "was sent once; the partner may have it",
		},
		{
			"id": "none", "order_id": nil, "was": nil, "cause": nil, "attempts": nil, "result": "not found", "entry_id": nil, "note": nil,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
