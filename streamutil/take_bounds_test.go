package streamutil_test

import (
	"testing"
	"time"

	"orderq/streamutil"
)

func TestTakeKeepsToMaxInFlight(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.q = h.queueWith(streamutil.QueueConfig{MaxInFlight: 2})
	h.register("c1")
	h.register("c2")
	for _, order := range []string{"A", "B", "C"} {
		h.submit(order)
	}
	h.expect(h.take("c1", 1, 1), "taken A#1")
	h.expect(h.take("c2", 1, 5), "taken B#1")
	h.expect(h.take("c1", 2, 1, "A"), "blocked max_in_flight unknown")
	// What is parked is not in flight.
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
	h.expect(h.take("c1", 3, 5), "taken C#1")
}

// Redis sorts equal scores by text, where 100-10 comes before 100-9.
func TestTakeComparesIDsAsNumbers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 20*time.Millisecond)
	for _, id := range []string{"99-7", "100-9", "100-10"} {
		h.redis("XADD", "%stream", id, "id", "o"+id, "body", "{}")
	}
	h.expect(h.take("c1", 1, 3), "taken o99-7#1 o100-9#1 o100-10#1")
	h.expect(h.take("c1", 2, 0), "settled")
	if due := h.redis("EVAL", "return table.concat(redis.call('ZRANGE', KEYS[1], 0, -1), ' ')", "1", "%due"); due != "100-10 100-9 99-7" {
		t.Fatalf("the due times differ, so nothing is tested: %s", due)
	}
	h.expect(h.take("c1", 3, 3), "taken o99-7#1 o100-9#1 o100-10#1")
}

func TestTakeWithoutSlots(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 0)
	h.registerAt("c2", 0)
	first := h.slot
	h.submit("A")
	h.submit("B")
	h.expect(h.takeAt(first, "c1", 1, 1), "taken A#1")
	h.expect(h.takeAt(first, "c2", 1, 1), "taken B#1")
	if h.slot.Number != 0 || h.slot.Started {
		t.Errorf("a slot was used: %+v", h.slot)
	}
}

// Waiting costs no attempt: a hundred that are no orders are set aside at most,
// then the next take goes on.
func TestTakeSetsAsideManyAtOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.register("c1")
	h.redis("EVAL", "for i = 1, 150 do redis.call('XADD', KEYS[1], '*', 'no', 'order') end", "1", "%stream")
	h.submit("A")
	if got := h.take("c1", 1, 1); got[:5] != "empty" {
		t.Fatalf("answered %q", got)
	}
	h.expect(h.take("c1", 2, 1), "taken A#1")
	if n := h.facts()["stats dead"]; n != "150" {
		t.Errorf("%s were set aside, want 150", n)
	}
}
