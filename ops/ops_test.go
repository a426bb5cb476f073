package ops_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"orderq/internal/redistest"
	"orderq/ops"
	"orderq/streamutil"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// desk is an operator's place: a queue, and the commands to look at it.
type desk struct {
	t     *testing.T
	addr  string
	queue string
	q     *streamutil.Queue
	// client is how Redis is reached, but for its address.
	client streamutil.ClientConfig
}

func newDesk(t *testing.T, addr string) *desk {
	d := &desk{t: t, addr: addr, queue: redistest.QueueName(t)}
	desk, err := d.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(desk.Close)
	d.q = desk.Queue
	return d
}

func (d *desk) open() (ops.Desk, error) {
	cfg := d.client
	cfg.Addresses = []string{d.addr}
	c := streamutil.NewClient(cfg)
	q, err := streamutil.NewQueue(c, streamutil.QueueConfig{Name: d.queue})
	return ops.Desk{Queue: q, Who: "anna@shop-1", Close: c.Close}, err
}

// run types a command and returns what it printed.
func (d *desk) run(args ...string) (stdout, stderr string, err error) {
	d.t.Helper()
	root := &cobra.Command{Use: "orderq", SilenceErrors: true, SilenceUsage: true}
	f := root.PersistentFlags()
	f.StringP("output", "o", "table", "")
	f.String("queue", "", "")
	f.StringArray("set", nil, "")
	for _, name := range []string{"no-headers", "yes", "dry-run", "body"} {
		f.Bool(name, false, "")
	}
	f.Bool("utc", true, "")
	f.Int("limit", 50, "")
	root.AddCommand(ops.Commands(d.open)...)
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = root.ExecuteContext(d.t.Context())
	return out.String(), errs.String(), err
}

func (d *desk) must(args ...string) string {
	d.t.Helper()
	out, _, err := d.run(args...)
	if err != nil {
		d.t.Fatalf("orderq %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// cells reads a tab-separated table by its first column.
func cells(table string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(table) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		m[name] = value
	}
	return m
}

func (d *desk) enqueue(n int) {
	d.t.Helper()
	for i := range n {
		if _, err := d.q.Enqueue(d.t.Context(), streamutil.NewOrder{ID: fmt.Sprintf("A-%d", i+1), Body: []byte(`{}`)}); err != nil {
			d.t.Fatal(err)
		}
	}
}

// consumer registers one and has it take an order.
func (d *desk) take(name string) streamutil.Order {
	d.t.Helper()
	ctx := d.t.Context()
	slot, err := d.q.Register(ctx, streamutil.Identity{Name: name, Host: "shop-1", Pace: streamutil.Every(time.Second), Lease: time.Hour})
	if err != nil {
		d.t.Fatal(err)
	}
	taken, err := d.q.Take(ctx, streamutil.Take{Consumer: name, K: 1, N: 1, Epoch: slot.Epoch, Slot: slot.Number})
	if err != nil || len(taken.Orders) != 1 {
		d.t.Fatalf("take: %+v, %v", taken, err)
	}
	return taken.Orders[0]
}

func TestStatusSaysHowItIsAndWhyNothingMoves(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())

	got := cells(d.must("status"))
	if got["state"] != "idle: no order and no consumer was ever here; is it the right queue, and the right Redis?" || got["pace"] != "not known until a consumer has run" || got["drained in"] != "0 ms" {
		t.Errorf("a queue nobody has used: %v", got)
	}

	d.enqueue(3)
	if got := cells(d.must("status")); got["state"] != "stalled: no consumer is running" {
		t.Errorf("orders and no consumer: state %q", got["state"])
	}

	o := d.take("c1")
	got = cells(d.must("status"))
	for name, want := range map[string]string{
		"state": "running", "pace": "1/s", "backlog": "3 (2 waiting, 1 in flight, 0 parked)",
		"drained in": "3.0 s", "delivered": "0 of 3 accepted", "consumers": "1", "last error": "none",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if !strings.HasPrefix(got[""], "c1, alive, beat ") {
		t.Errorf("the consumer's line: %q", got[""])
	}

	if _, err := d.q.Settle(t.Context(), streamutil.Settlement{
		Consumer: "c1", K: 1, Entry: o.Entry, OrderID: o.ID, Outcome: streamutil.OutcomeFailed, Delay: time.Hour, Status: 500,
	}); err != nil {
		t.Fatal(err)
	}
	if got := cells(d.must("status"))["last error"]; !strings.HasSuffix(got, "order A-1, attempt 1 failed, answer 500") {
		t.Errorf("last error: %q", got)
	}
}

// A queue that a newer program has changed is not looked at, nor changed: it would
// be misread.
func TestNewerSchema(t *testing.T) {
	srv := redistest.Shared(t)
	d := newDesk(t, srv.Addr())
	d.enqueue(1)
	srv.CLI("HSET", "orderq:{"+d.queue+"}:control", "schema", "99")
	for _, line := range []string{
		"status", "list", "show A-1", "pending", "consumers", "pace", "pause --reason x", "resume", "retry A-1", "cancel A-1",
	} {
		d.check(typed{line: line + " --no-headers", code: 1, err: []string{d.addr, "form 99 of a newer orderq; this one knows form 1: upgrade it"}})
		if _, _, err := d.run(words(line)...); strings.Contains(err.Error(), "does not answer") {
			t.Errorf("%s: %v", line, err)
		}
	}
	d.check(typed{line: "check", code: 3, out: []string{"UNKNOWN", "upgrade it"}})
	d.check(typed{line: "doctor", code: 1, out: []string{"FAIL\tqueue\t", "form 99", "mend: upgrade orderq"}, err: []string{" FAIL"}})
}

// Shops notice full memory, whatever else keeps the queue from sending.
func TestFullMemoryIsSaidBesideAPause(t *testing.T) {
	srv := redistest.Start(t)
	d := newDesk(t, srv.Addr())
	d.enqueue(1)
	d.take("c1")
	srv.CLI("CONFIG", "SET", "maxmemory", "1")
	d.must("pause", "--reason", "big day")
	d.check(typed{line: "status", out: []string{"state\tpaused by anna@shop-1: big day; orderq resume goes on; Redis is out of memory: new orders are refused\n"}})
	d.check(typed{line: "status -o jsonl", out: []string{"goes on; Redis is out of memory: new orders are refused\""}})
	d.check(typed{line: "check", code: 2, out: []string{"CRITICAL", ": Redis is out of memory: new orders are refused, paused by anna"}})
}

func TestStatusInJSONHasAllItsKeys(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.enqueue(2)
	d.take("c1")
	var got map[string]any
	if err := json.Unmarshal([]byte(d.must("status", "-o", "json")), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"queue", "state", "reason", "pace", "waiting", "in_flight", "parked", "dead",
		"oldest_seconds", "drain_seconds", "consumers", "last_error",
	} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %q in %v", key, got)
		}
	}
	if got["waiting"] != 1.0 || got["in_flight"] != 1.0 || got["consumers"] != 1.0 || got["reason"] != nil {
		t.Errorf("got %v", got)
	}
	if line := d.must("status", "-o", "jsonl"); strings.Count(line, "\n") != 1 {
		t.Errorf("jsonl has more than a line: %q", line)
	}
}

func TestRedisAwayIsSaidWithWhatToDo(t *testing.T) {
	srv := redistest.Start(t)
	d := newDesk(t, srv.Addr())
	srv.Kill()
	for _, verb := range []string{"status", "pending"} {
		_, _, err := d.run(verb)
		if err == nil || !strings.Contains(err.Error(), srv.Addr()) || !strings.Contains(err.Error(), "redis.addresses") {
			t.Errorf("%s: %v; want the address and what to look at", verb, err)
		}
	}
}

func TestWhatIsWrongWithRedisIsNamed(t *testing.T) {
	srv := redistest.Shared(t)
	d := newDesk(t, srv.Addr())
	key := "orderq:{" + d.queue + "}:stats"
	srv.CLI("SET", key, "x")
	d.check(typed{line: "status", code: 1, err: []string{"somebody has written over " + key + ", so that it is of another type; delete it: inspect: WRONGTYPE"}})
	srv.CLI("DEL", key)
	d.submit("A-1")
	srv.CLI("DEL", "orderq:{"+d.queue+"}:order:A-1")
	srv.CLI("SET", "orderq:{"+d.queue+"}:order:A-1", "x")
	d.check(typed{line: "cancel A-1 --no-headers", code: 1, err: []string{"one of the keys orderq:{" + d.queue + "}:*"}})

	d.client.DB = 99
	d.check(typed{line: "status", code: 1, err: []string{"DB index is out of range; see redis.db in orderq config print"}})
	d.client.DB, d.client.TLS = 0, &tls.Config{MinVersion: tls.VersionTLS12}
	d.check(typed{line: "status", code: 1, err: []string{srv.Addr(), "redis.addresses in orderq config print", "redis.tls is on\n"}})
}

// A configuration that cannot be used ends a watch, too.
func TestStatusWatchesNothingThatCannotBeOpened(t *testing.T) {
	bad, opened := errors.New("no such queue name"), 0
	root := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(ops.Commands(func() (ops.Desk, error) { opened++; return ops.Desk{}, bad })...)
	root.SetArgs([]string{"status", "-w"})
	if err := root.ExecuteContext(t.Context()); !errors.Is(err, bad) || opened != 1 {
		t.Errorf("%v, opened %d times", err, opened)
	}
}

// What a watch says of Redis's absence is no data.
func TestStatusWatchesThroughAnAbsenceOfRedis(t *testing.T) {
	srv := redistest.Start(t)
	d := newDesk(t, srv.Addr())
	srv.Kill()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	root := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	root.PersistentFlags().StringP("output", "o", "jsonl", "")
	root.AddCommand(ops.Commands(d.open)...)
	said := &viewer{lines: 1, stop: srv.Restart} // it is away until that was said
	shown := &viewer{lines: 1, stop: cancel}
	root.SetOut(shown)
	root.SetErr(said)
	root.SetArgs([]string{"status", "-w"})
	if err := root.ExecuteContext(ctx); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"does not answer", "; looking again every second\n", "answers again\n"} {
		if !strings.Contains(said.text, want) {
			t.Errorf("stderr lacks %q: %q", want, said.text)
		}
	}
	if !json.Valid([]byte(shown.text)) {
		t.Errorf("stdout is not JSON alone: %q", shown.text)
	}
}

// viewer stops a watch when it has seen enough lines.
type viewer struct {
	lines int
	stop  func()
	text  string
}

func (v *viewer) Write(p []byte) (int, error) {
	v.text += string(p)
	if v.lines -= bytes.Count(p, []byte("\n")); v.lines == 0 {
		v.stop()
	}
	return len(p), nil
}

func TestStatusWatchesUntilItIsStopped(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	root := &cobra.Command{}
	root.PersistentFlags().StringP("output", "o", "jsonl", "")
	root.AddCommand(ops.Commands(d.open)...)
	v := &viewer{lines: 2, stop: cancel}
	root.SetOut(v)
	root.SetArgs([]string{"status", "-w"})
	if err := root.ExecuteContext(ctx); err != nil {
		t.Errorf("a watch that is stopped is no error: %v", err)
	}
	if v.lines != 0 {
		t.Errorf("%d of two looks are missing", v.lines)
	}
}

func TestPendingShowsWhoHasWhatAndWhatItWaitsFor(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.enqueue(2)
	if out := d.must("pending", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("nothing taken yet: %q", out)
	}
	first := d.take("c1")
	if _, err := d.q.Settle(t.Context(), streamutil.Settlement{
		Consumer: "c1", K: 1, Entry: first.Entry, OrderID: first.ID, Outcome: streamutil.OutcomeFailed, Delay: time.Hour, Status: 503,
	}); err != nil {
		t.Fatal(err)
	}
	d.take("c2")

	lines := slices.Collect(strings.Lines(d.must("pending")))
	if len(lines) != 3 {
		t.Fatalf("want a heading and two rows: %q", lines)
	}
	for i, wants := range [][]string{
		{"ENTRY\tORDER\tSTATE"},
		{"\tA-1\tparked\t-\t", "failed 503", "its next attempt, due in 59 min"},
		{"\tA-2\tin_flight\tc2\t", "the partner's answer"},
	} {
		for _, want := range wants {
			if !strings.Contains(lines[i], want) {
				t.Errorf("line %d: %q lacks %q", i, lines[i], want)
			}
		}
	}
	if only := d.must("pending", "--consumer", "parked", "--no-headers"); strings.Count(only, "\n") != 1 || !strings.Contains(only, "A-1") {
		t.Errorf("--consumer parked: %q", only)
	}
	d.check(typed{line: "pending --consumer nope", code: 3, err: []string{"no consumer is called nope; there are: parked, c1, c2\n"}})
	d.check(typed{line: "pending --after x", code: 2, err: []string{"orderq pending: --after"}})
	d.check(typed{
		line: "pending --limit 1 --no-headers", out: []string{"A-1\tparked"},
		err: []string{"the next page: orderq pending --after " + first.Entry.String() + "\n"},
	})
	d.check(typed{line: "pending --no-headers --after " + first.Entry.String(), out: []string{"A-2\tin_flight"}})
	for _, line := range []string{"pending", "list", "tail"} {
		if out := d.must(line, "--limit", strconv.Itoa(math.MaxInt), "-o", "jsonl"); out == "" {
			t.Errorf("%s without a limit to speak of: %q", line, out)
		}
	}
}
