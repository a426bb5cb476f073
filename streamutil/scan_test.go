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
	if list, err := h.q.Pending(t.Context(), "", 10); err != nil || len(list) != 0 {
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
		got, err := h.q.Pending(t.Context(), look.consumer, look.limit)
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

// What a person deleted or wrote is still listed.
func TestPendingOfOddEntries(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.redis("XDEL", "%stream", h.entries["A"].String())
	h.addByHand("stray", "note", "hello")
	h.redis("XREADGROUP", "GROUP", groupName, "someone", "STREAMS", "%stream", ">")
	list, err := h.q.Pending(t.Context(), "", 10)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, want := range []string{"", "B", ""} {
		if list[i].OrderID != want {
			t.Errorf("entry %v: order %q, want %q", list[i].Entry, list[i].OrderID, want)
		}
	}
}
