package streamutil_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

// listed tells a page in words, an order a line.
func (h *harness) listed(l streamutil.Listing) []string {
	h.t.Helper()
	look := h.q.List
	if l.State.Final() {
		look = h.q.ListFinished
	}
	list, err := look(h.t.Context(), l)
	if err != nil {
		h.t.Fatal(err)
	}
	lines := make([]string, 0, len(list))
	for _, o := range list {
		lines = append(lines, h.orderLine(o))
	}
	return lines
}

func (h *harness) orderLine(o streamutil.Listed) string {
	words := []string{h.alias(o.Entry.String()), o.OrderID, string(o.State)}
	add := func(name, value string) {
		if value != "" && value != "0" && value != "0s" {
			words = append(words, name+"="+value)
		}
	}
	add("attempts", fmt.Sprint(o.Attempts))
	add("place", fmt.Sprint(o.Place.Position))
	if o.Place.Known {
		words = append(words, "wait="+waitText(o.Place.Wait))
	}
	add("due", waitText(o.Due))
	add("with", o.Consumer)
	if o.ConsumerAlive {
		words = append(words, "alive")
	}
	add("last", string(o.LastOutcome))
	add("status", fmt.Sprint(o.LastStatus))
	add("reason", o.Reason)
	add("body", string(o.Body))
	if o.Accepted.IsZero() {
		words = append(words, "accepted at no time")
	}
	return strings.Join(words, " ")
}

// everyState is a queue with an order in every state, the first of the
// unfinished ones parked.
func everyState(h *harness) {
	h.registerAt("c1", 0)
	h.registerAt("c2", 0)
	for _, o := range []string{"delivered", "rejected", "parked", "flying", "stranded"} {
		h.submit(o)
	}
	h.take("c1", 1, 4)
	h.take("c2", 1, 1)
	h.settle("c1", 1, "parked", streamutil.OutcomeFailed, time.Hour)
	h.settle("c1", 1, "rejected", streamutil.OutcomeRejected, 0)
	h.delivered("c1", 1, "delivered")
	h.leave("c2")
	h.submit("cancelled")
	h.submit("first")
	h.submit("second")
	h.cancel("cancelled")
}

func TestList(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, state := range []streamutil.State{"", streamutil.Waiting, streamutil.InFlight, streamutil.Parked, streamutil.Dead, streamutil.Delivered, streamutil.Cancelled} {
		if got := h.listed(streamutil.Listing{State: state}); len(got) != 0 {
			t.Errorf("%q of a queue that nobody has used: %q", state, got)
		}
	}
	everyState(h)
	const (
		parked   = "parked parked parked attempts=1 due=1h0m0s last=failed status=500"
		flying   = "flying flying in_flight attempts=1 with=c1 alive"
		stranded = "stranded stranded in_flight attempts=1 with=c2"
		first    = "first first waiting place=2 wait=0s"
		second   = "second second waiting place=3 wait=0s"
	)
	after := func(name string) streamutil.EntryID { return h.entries[name] }
	for _, tt := range []struct {
		name string
		look streamutil.Listing
		want []string
	}{
		{"all", streamutil.Listing{}, []string{parked, flying, stranded, first, second}},
		{"a page", streamutil.Listing{Limit: 2}, []string{parked, flying}},
		{"the next", streamutil.Listing{Limit: 2, After: after("flying")}, []string{stranded, first}},
		{"the last", streamutil.Listing{Limit: 2, After: after("first")}, []string{second}},
		{"behind the last", streamutil.Listing{After: after("second")}, nil},
		{"behind everything", streamutil.Listing{After: streamutil.EntryID{Ms: 1<<64 - 1, Seq: 1<<64 - 1}}, nil},
		{"waiting", streamutil.Listing{State: streamutil.Waiting}, []string{first, second}},
		{"waiting from before what was read", streamutil.Listing{State: streamutil.Waiting, After: after("parked")}, []string{first, second}},
		{"waiting behind", streamutil.Listing{State: streamutil.Waiting, After: after("first")}, []string{second}},
		{"in flight", streamutil.Listing{State: streamutil.InFlight}, []string{flying, stranded}},
		{"in flight, one", streamutil.Listing{State: streamutil.InFlight, Limit: 1}, []string{flying}},
		{"in flight, the next", streamutil.Listing{State: streamutil.InFlight, After: after("flying")}, []string{stranded}},
		{"parked", streamutil.Listing{State: streamutil.Parked}, []string{parked}},
		{"parked behind", streamutil.Listing{State: streamutil.Parked, After: after("parked")}, nil},
		{"with bodies", streamutil.Listing{After: after("first"), Body: true}, []string{second + ` body={"of":"second"}`}},
		{"dead", streamutil.Listing{State: streamutil.Dead}, []string{"rejected rejected dead attempts=1 last=rejected status=500 reason=rejected 500"}},
		{"delivered", streamutil.Listing{State: streamutil.Delivered}, []string{"delivered delivered delivered attempts=1 last=delivered status=200"}},
		{"cancelled", streamutil.Listing{State: streamutil.Cancelled}, []string{"cancelled cancelled cancelled"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, h.listed(tt.look), cmpEmpty); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if _, err := h.q.ListFinished(t.Context(), streamutil.Listing{State: streamutil.Waiting}); err == nil {
		t.Error("what waits is not finished")
	}
}

// A dead order was accepted when its record says so, whatever entry it has by now.
func TestListOfAnOrderThatDiedTwice(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 0)
	h.submit("A")
	h.take("c1", 1, 1)
	h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
	h.redis("HSET", "%order:A", "accepted", "5000")
	h.requeue("A")
	h.take("c1", 2, 1)
	h.expect(h.settleAs(streamutil.Settlement{
		Consumer: "c1", K: 2, Entry: h.entries["A~2"], OrderID: "A", Outcome: streamutil.OutcomeRejected, Status: 422,
	}), "ok dead")
	list, err := h.q.ListFinished(t.Context(), streamutil.Listing{State: streamutil.Dead})
	if err != nil || len(list) != 1 || list[0].Accepted.UnixMilli() != 5000 || list[0].LastOutcome != streamutil.OutcomeRejected {
		t.Errorf("%+v, %v", list, err)
	}
	h.redis("DEL", "%order:A")
	list, err = h.q.ListFinished(t.Context(), streamutil.Listing{State: streamutil.Dead})
	if err != nil || len(list) != 1 || list[0].Accepted != list[0].Entry.Time() {
		t.Errorf("without a record: %+v, %v", list, err)
	}
}

var cmpEmpty = cmp.Transformer("empty", func(s []string) string { return strings.Join(s, "\n") })

// A cursor outlives the entry it names, and no order is met twice.
func TestListPagesWhileOrdersLeave(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 0)
	for i := range 3*streamutil.MaxPage + 1 {
		h.submit(fmt.Sprintf("A-%d", i))
	}
	seen := map[string]bool{}
	var after streamutil.EntryID
	for n := 0; ; n++ {
		list, err := h.q.List(t.Context(), streamutil.Listing{After: after})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, o := range list {
			if seen[o.OrderID] {
				t.Fatalf("order %s is met twice", o.OrderID)
			}
			seen[o.OrderID] = true
			after = o.Cursor
		}
		h.cancel(list[len(list)-1].OrderID) // the one that the cursor names
		h.redis("XDEL", "%stream", list[0].Entry.String())
	}
	if len(seen) != 3*streamutil.MaxPage+1 {
		t.Errorf("met %d orders, want %d", len(seen), 3*streamutil.MaxPage+1)
	}
}

func TestListFinishedPages(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 0)
	const n = streamutil.MaxPage + 5
	for i := range n {
		h.submit(fmt.Sprintf("A-%d", i))
		h.take("c1", int64(i+1), 1)
		h.delivered("c1", int64(i+1), fmt.Sprintf("A-%d", i))
	}
	h.redis("DEL", "%order:A-3") // expired
	var got []string
	for l := (streamutil.Listing{State: streamutil.Delivered}); ; {
		list, err := h.q.ListFinished(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			got = append(got, o.OrderID)
			l.After = o.Cursor
		}
		if len(list) < streamutil.MaxPage {
			break
		}
	}
	for i := range n {
		if want := fmt.Sprintf("A-%d", n-1-i); i >= len(got) || got[i] != want {
			t.Fatalf("delivered %q, want the newest first: %s at %d", got, want, i)
		}
	}
}

// An order that went on after the line that ended it is not what the line says.
func TestListFinishedBelievesTheRecord(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.cancel("B")
	h.submitBody("B", `{"of":"B"}`)
	h.redis("HSET", "%order:B", "state", "delivered")
	if got := h.listed(streamutil.Listing{State: streamutil.Cancelled}); len(got) != 0 {
		t.Errorf("cancelled: %q", got)
	}
	h.redis("SET", "%order:X", "no record")
	h.redis("XADD", "%log", "*", "what", "cancel", "order", "X")
	if got := h.listed(streamutil.Listing{State: streamutil.Cancelled}); len(got) != 1 || !strings.HasPrefix(got[0], "0-0 X cancelled") {
		t.Errorf("an order whose record somebody wrote over: %q", got)
	}
}

// Whatever a hand writes is listed as far as it can be.
func TestListOddities(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
	h.addByHand("stray", "note", "hello")
	h.addByHand("twin", "id", "A", "body", "{}")
	h.addByHand("broken", "id", "C\x1b[2J\xff", "seq", "many")
	h.redis("SET", "%order:D", "no record")
	h.addByHand("junk", "id", "D")
	h.redis("ZADD", "%due", "+inf", h.entries["A"].String())
	want := []string{
		"A A parked attempts=1 last=failed status=500",
		"B B waiting place=1 wait=1s",
		"stray  waiting place=1 wait=1s",
		"twin A waiting place=1 wait=1s",
		"broken C\x1b[2J\xff waiting place=1 wait=1s",
		"junk D waiting place=1 wait=1s",
	}
	got := h.listed(streamutil.Listing{})
	for i := range got {
		got[i] = strings.Replace(got[i], " wait=0s", " wait=1s", 1)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := h.lookup("A"); !strings.Contains(got, "parked") {
		t.Errorf("a due time of infinity: %q", got) // it is taken as due now
	}
	h.redis("XGROUP", "DESTROY", "%stream", groupName)
	if got := h.listed(streamutil.Listing{State: streamutil.Waiting}); len(got) != len(want) {
		t.Errorf("without the group all wait: %q", got)
	}
	h.redis("SET", "%stream", "no stream")
	if list, err := h.q.List(t.Context(), streamutil.Listing{}); err == nil {
		t.Errorf("a stream that is none: %v, want an error", list)
	}
}

func TestHolders(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	holders := func() map[string]int64 {
		m, err := h.q.Holders(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if got := holders(); len(got) != 0 {
		t.Errorf("before anything: %v", got)
	}
	everyState(h)
	if d := cmp.Diff(map[string]int64{"c1": 1, "c2": 1}, holders()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
