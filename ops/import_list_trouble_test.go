package ops_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
	"orderq/ops"
	"orderq/streamutil"
)

// far is an old list on a server of its own, and a queue behind a proxy.
type far struct {
	*oldList
	proxy *faultconn.Proxy // before the queue's server
	cfg   streamutil.QueueConfig
	dur   streamutil.Durability
}

func newFar(t *testing.T, items ...string) *far {
	old := redistest.Start(t)
	d := newDesk(t, redistest.Shared(t).Addr())
	f := &far{oldList: oldListOn(d, old, items...), proxy: faultconn.Listen(t, redistest.Shared(t).Addr())}
	return f
}

func (f *far) open() (ops.Desk, error) {
	c := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{f.proxy.Addr()}, Durability: f.dur})
	f.cfg.Name = f.queue
	q, err := streamutil.NewQueue(c, f.cfg)
	return ops.Desk{Queue: q, Who: "anna@shop-1", Close: c.Close}, err
}

// imports runs the command against the list's server.
func (f *far) imports(ctx context.Context, flags ...string) (out, errs string, err error) {
	return f.importsFrom(ctx, f.srv.Addr(), flags...)
}

func (f *far) importsFrom(ctx context.Context, addr string, flags ...string) (out, errs string, err error) {
	f.t.Helper()
	root := &cobra.Command{Use: "orderq", SilenceErrors: true, SilenceUsage: true}
	pf := root.PersistentFlags()
	pf.StringP("output", "o", "table", "")
	pf.Bool("yes", true, "")
	pf.Bool("dry-run", false, "")
	pf.Int("limit", 50, "")
	root.AddCommand(ops.Commands(f.open)...)
	var o, e bytes.Buffer
	root.SetOut(&o)
	root.SetErr(&e)
	root.SetArgs(append([]string{"import-list", f.key, "--from", "redis://" + addr}, flags...))
	err = root.ExecuteContext(ctx)
	return o.String(), e.String(), err
}

// says expects an error with these words, in this order.
func (f *far) says(err error, parts ...string) {
	f.t.Helper()
	if err == nil {
		f.t.Fatalf("no error, want one with %q", parts)
	}
	f.has("import-list", "the error", err.Error(), parts)
	if code(err) != 1 {
		f.t.Errorf("exit code %d, want 1", code(err))
	}
}

// onEnqueue does something before the order with this body reaches the queue.
func (f *far) onEnqueue(body string, do func()) {
	var once sync.Once
	f.proxy.CutBefore(func(args []string) bool {
		if faultconn.WithArg(body)(args) {
			once.Do(do)
		}
		return false
	})
}

func ordersNamed(ids ...string) (items []string) {
	for _, id := range ids {
		items = append(items, fmt.Sprintf(`{"order_id":%q}`, id))
	}
	return items
}

func (f *far) waiting() string {
	f.t.Helper()
	var ids []string
	for _, line := range f.queued() {
		id, _, _ := strings.Cut(line, " ")
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}

// A popper that still runs is noticed, and told which orders it and we have.
func TestImportListNoticesAnotherPopper(t *testing.T) {
	f := newFar(t, append(ordersNamed("A", "B", "C"), `{"x":1}`, `{"x":1}`)...)
	f.onEnqueue(`{"order_id":"A"}`, func() { f.srv.CLI("LPOP", f.key, "2") })
	out, _, err := f.imports(t.Context(), "--make-ids")
	f.says(err, "somebody else takes from the list", "stop the old processor", "2 items", "cancel them here: A B", "the same command goes on")
	f.has("import-list", "stdout", out, []string{"read\t5", "enqueued\t5"})
	f.holds("5")
	f.push(ordersNamed("D")...)
	if _, _, err := f.imports(t.Context(), "--make-ids"); err != nil {
		t.Error(err)
	}
	if got := f.queued(); len(got) != 6 || !strings.HasPrefix(got[5], "D ") {
		t.Errorf("the queue has %q", got)
	}
}

func TestImportListStopsAtAFullQueueAndGoesOn(t *testing.T) {
	f := newFar(t, append(ordersNamed("A"), append([]string{"junk 1"}, append(ordersNamed("B", "C"), "junk 2", `{"order_id":"D"}`)...)...)...)
	f.cfg.MaxBacklog = 2
	out, _, err := f.imports(t.Context())
	f.says(err, "full", "max_backlog", "nothing is lost")
	f.has("import-list", "stdout", out, []string{"read\t3", "enqueued\t2", "dead letters\t1", "left\t3"})
	if got := f.waiting(); got != "A B" {
		t.Errorf("waiting: %s", got)
	}
	f.holds("3", `{"order_id":"C"}`, "junk 2", `{"order_id":"D"}`)
	f.cfg.MaxBacklog = 10
	if out, _, err = f.imports(t.Context()); err != nil {
		t.Error(err)
	}
	f.has("import-list", "stdout", out, []string{"read\t3", "enqueued\t2", "duplicates\t0", "dead letters\t1", "left\t0"})
	if got := f.waiting(); got != "A B C D" {
		t.Errorf("waiting: %s", got)
	}
}

// The queue's server goes away after it has put the orders in, and comes back.
func TestImportListWaitsForTheQueue(t *testing.T) {
	f := newFar(t, append(ordersNamed("A", "B"), "junk", `{"x":1}`)...)
	f.proxy.EatReply(faultconn.WithArg(`{"order_id":"A"}`))
	f.proxy.EatReply(faultconn.WithArg(`{"order_id":"A"}`))
	f.proxy.EatReply(faultconn.WithArg("junk"))
	out, errs, err := f.imports(t.Context(), "--make-ids")
	if err != nil {
		t.Fatal(err)
	}
	f.has("import-list", "stderr", errs, []string{"trying again"})
	f.has("import-list", "stdout", out, []string{"read\t4", "dead letters\t1"})
	if got := f.queued(); len(got) != 3 || len(f.letters()) != 1 {
		t.Errorf("the queue has %q and %q", got, f.aside())
	}
	f.holds("4")
}

// The list's server goes away when a batch is read, and after it was removed.
func TestImportListWaitsForTheList(t *testing.T) {
	f := newFar(t, ordersNamed("A", "B", "C")...)
	way := faultconn.Listen(t, f.srv.Addr())
	read := way.EatReply(faultconn.WithArg("50"))
	removed := way.EatReply(faultconn.WithArg(`{"order_id":"B"}`))
	out, errs, err := f.importsFrom(t.Context(), way.Addr())
	if err != nil || !strings.Contains(out, "enqueued\t3") || !strings.Contains(errs, "trying again") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
	<-read
	<-removed
	f.holds("3")
	if got := f.waiting(); got != "A B C" {
		t.Errorf("waiting: %s", got)
	}
}

func TestImportListGivesUp(t *testing.T) {
	f := newFar(t, ordersNamed("A")...)
	var back atomic.Bool
	for range 50 { // the client has several connections, and tries them all
		f.proxy.CutBefore(func(args []string) bool {
			away := !back.Load() && faultconn.WithArg(`{"order_id":"A"}`)(args)
			if away {
				f.proxy.Refuse(true)
			}
			return away
		})
	}
	_, _, err := f.imports(t.Context(), "--give-up-after", "1ms")
	f.says(err, f.proxy.Addr(), "does not answer", "redis.addresses", "nothing is lost")
	f.holds("", `{"order_id":"A"}`)
	back.Store(true)
	f.proxy.Refuse(false)
	if _, _, err := f.imports(t.Context()); err != nil || f.waiting() != "A" {
		t.Errorf("%v, waiting: %s", err, f.waiting())
	}
}

// What is not as durable as was asked for stays in the list.
func TestImportListWantsConfirmation(t *testing.T) {
	f := newFar(t, ordersNamed("A")...)
	f.dur, _ = streamutil.ParseDurability("replicas=1")
	_, _, err := f.imports(t.Context(), "--give-up-after", "1ms")
	f.says(err, "not confirmed", "redis.durability", "nothing is lost")
	f.holds("", `{"order_id":"A"}`)
	f.dur = streamutil.Durability{}
	out, _, err := f.imports(t.Context())
	if err != nil || !strings.Contains(out, "duplicates\t1") || f.waiting() != "A" {
		t.Errorf("%v\n%s", err, out)
	}
}

// Ctrl-C ends between two batches; the same command goes on.
func TestImportListIsInterrupted(t *testing.T) {
	var ids []string
	for i := range 200 {
		ids = append(ids, fmt.Sprint("O-", i))
	}
	f := newFar(t, ordersNamed(ids...)...)
	ctx, cancel := context.WithCancel(t.Context())
	f.onEnqueue(`{"order_id":"O-60"}`, cancel)
	out, _, err := f.imports(ctx)
	f.says(err, "interrupted", "nothing is lost")
	f.has("import-list", "stdout", out, []string{"read\t100", "enqueued\t100", "left\t100"})
	if _, _, err := f.imports(t.Context()); err != nil || f.waiting() != strings.Join(ids, " ") {
		t.Errorf("%v, waiting: %s", err, f.waiting())
	}
	f.check(typed{line: "tail --limit 4", out: []string{"import ended: 100 orders", "import ended: 100 orders"}})
}

// One in twenty orders of a second go together, so that a slow import is even.
func TestImportListKeepsToItsRate(t *testing.T) {
	f := newFar(t, ordersNamed("A", "B", "C", "D", "E", "F")...)
	began := time.Now()
	if _, _, err := f.imports(t.Context(), "--rate", "20"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 250*time.Millisecond {
		t.Errorf("6 orders at 20 a second took %v", took)
	}
}

func TestImportListOfLargeOrders(t *testing.T) {
	var items []string
	for i := range 5 {
		items = append(items, fmt.Sprintf(`{"order_id":"L-%d","x":"%s"}`, i, strings.Repeat("x", 1<<20)))
	}
	f := newFar(t, append(items, strings.Repeat("\xff", 1<<20))...)
	out, _, err := f.imports(t.Context())
	if err != nil || !strings.Contains(out, "enqueued\t5") || f.waiting() != "L-0 L-1 L-2 L-3 L-4" {
		t.Errorf("%v\n%s%s", err, out, f.waiting())
	}
	for i, line := range f.queued() {
		if line != fmt.Sprintf("L-%d %s", i, items[i]) {
			t.Errorf("order %d is another", i)
		}
	}
	if l := f.letters(); len(l) != 1 || string(l[0].Body) != strings.Repeat("\xff", 1<<20) {
		t.Errorf("%d letters", len(l))
	}
}
