package streamutil_test

import (
	"fmt"
	"testing"

	"orderq/streamutil"
)

func TestPurge(t *testing.T) {
	runCases(t, []scriptCase{{
		name: "waiting, in flight, finished",
		given: func(h *harness) {
			ready(h)
			h.submit("B")
			h.take("c1", 1, 1)
			h.submit("C")
			h.cancel("C")
		},
		do:     func(h *harness) string { return h.purge("A", "B", "C") },
		answer: "in_flight cancelled gone",
		changes: []string{
			"+ record B expires = 72h0m0s",
			"+ record B finished = set",
			"+ record B purged_by = ann@host",
			"+ record B purged_why = test",
			`- stream B = id=B body={"of":"B"} seq=2`,
			"record B state: waiting -> cancelled",
			"stats cancelled: 1 -> 2",
			"stats skipped: 1 -> 0",
			"stats taken: 1 -> 3",
		},
	}, {
		name:   "a parked one",
		given:  parkedNow,
		do:     func(h *harness) string { return h.purge("A") },
		answer: "cancelled",
		changes: []string{
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A purged_by = ann@host",
			"+ record A purged_why = test",
			"+ stats cancelled = 1",
			"- due A = now",
			"- pending A = parked",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A state: parked -> cancelled",
		},
	}, {
		name: "what a hand has added: no order, and an order's double",
		given: func(h *harness) {
			ready(h)
			h.addByHand("junk", "x", "y")
			h.addByHand("double", "id", "A", "body", "{}")
		},
		do:     func(h *harness) string { return h.purge("junk", "double") },
		answer: "removed removed",
		changes: []string{
			"- stream double = id=A body={}",
			"- stream junk = ",
		},
	}})
}

// More than one call takes.
func TestPurgeMany(t *testing.T) {
	h := newHarness(t)
	var names []string
	for i := range 120 {
		names = append(names, fmt.Sprint("O-", i))
		h.submit(names[i])
	}
	h.purge(names...)
	if err := h.q.NotePurge(t.Context(), true, 120, streamutil.Act{Who: "ann@host", Why: "test"}); err != nil {
		t.Fatal(err)
	}
	if s := h.snapshot(); s.Length != 0 || s.Totals.Cancelled != 120 {
		t.Errorf("%d are left, %d cancelled", s.Length, s.Totals.Cancelled)
	}
	if got := h.redis("EVAL", "return redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][2][6]", "1", "%log"); got != "120" {
		t.Errorf("the log says %q", got)
	}
	h.expect(h.submit("next"), "accepted next waiting position=1")
	if entries, err := h.q.Entries(t.Context(), streamutil.EntryID{}, 10); err != nil || len(entries) != 1 || entries[0].OrderID != "next" {
		t.Errorf("got %v, %v", entries, err)
	}
}
