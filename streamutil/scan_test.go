package streamutil_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderq/streamutil"
)

func TestPending(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if list, err := h.q.Pending(t.Context(), "", streamutil.EntryID{}, 10); err != nil || len(list) != 0 {
		t.Fatalf("before anything: %v, %v", list, err)
	}
	h.registerAt("c1", 50*time.Millisecond)
	h.registerAt("c2", 50*time.Millisecond)
	for _, order := range []string{"A", "B", "C", "D"} {
		h.submit(order)
	}
	h.take("c1", 1, 2)
	h.take("c2", 1, 1)
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
	h.leave("c2")

	a := streamutil.Listed{
		Entry: h.entries["A"], OrderID: "A", State: streamutil.Parked, Due: time.Hour, Attempts: 1,
		LastOutcome: streamutil.OutcomeFailed, LastStatus: 500,
	}
	b := streamutil.Listed{Entry: h.entries["B"], OrderID: "B", State: streamutil.InFlight, Consumer: "c1", ConsumerAlive: true, Attempts: 1}
	c := streamutil.Listed{Entry: h.entries["C"], OrderID: "C", State: streamutil.InFlight, Consumer: "c2", Attempts: 1}
	for _, look := range []struct {
		consumer string
		limit    int
		want     []streamutil.Listed
	}{
		{"", 10, []streamutil.Listed{a, b, c}},
		{"", 2, []streamutil.Listed{a, b}},
		{"c1", 10, []streamutil.Listed{b}},
		{"c2", 10, []streamutil.Listed{c}},
		{"parked", 10, []streamutil.Listed{a}},
		{"nobody", 10, nil},
	} {
		got, err := h.q.Pending(t.Context(), look.consumer, streamutil.EntryID{}, look.limit)
		if err != nil {
			t.Fatal(err)
		}
		near := cmpopts.EquateEmpty()
		idle := cmpopts.IgnoreFields(streamutil.Listed{}, "Idle", "Cursor", "Accepted")
		due := cmp.Comparer(func(x, y time.Duration) bool { return (x - y).Abs() < 10*time.Second })
		if d := cmp.Diff(look.want, got, near, idle, due); d != "" {
			t.Errorf("pending of %q (-want +got):\n%s", look.consumer, d)
		}
	}
}

// A page goes on behind the one before it, of one consumer as of all.
func TestPendingInPages(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", time.Millisecond)
	for _, order := range []string{"A", "B", "C"} {
		h.submit(order)
	}
	h.take("c1", 1, 3)
	h.settle("c1", 1, "B", streamutil.OutcomeFailed, time.Hour)
	for consumer, want := range map[string][]string{"": {"A", "B", "C"}, "c1": {"A", "C"}, "parked": {"B"}} {
		var after streamutil.EntryID
		for _, order := range append(want, "") {
			page, err := h.q.Pending(t.Context(), consumer, after, 1)
			if err != nil || len(page) > 1 || (len(page) == 1) != (order != "") || order != "" && page[0].OrderID != order {
				t.Fatalf("pending of %q behind %v: %+v, %v; want %q", consumer, after, page, err, order)
			}
			if order != "" {
				after = page[0].Cursor
			}
		}
	}
}

// What a person deleted or wrote is still listed.
func TestPendingOfOddEntries(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.redis("XDEL", "%stream", h.entries["A"].String())
	h.addByHand("stray", "note", "hello")
	h.redis("XREADGROUP", "GROUP", groupName, "someone", "STREAMS", "%stream", ">")
	list, err := h.q.Pending(t.Context(), "", streamutil.EntryID{}, 10)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, want := range []string{"", "B", ""} {
		if list[i].OrderID != want {
			t.Errorf("entry %v: order %q, want %q", list[i].Entry, list[i].OrderID, want)
		}
	}
}
