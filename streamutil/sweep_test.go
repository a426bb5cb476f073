package streamutil_test

import (
	"fmt"
	"testing"

	"orderq/streamutil"
)

// What a person's hand takes from its consumer is found again.
func TestSweep(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "nothing is astray",
		given:  parkedNow,
		do:     func(h *harness) string { return h.sweep() },
		answer: "found 0",
	}, {
		name: "a live consumer was deleted: it is still sending what it had",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XGROUP", "DELCONSUMER", "%stream", groupName, "c1")
		},
		do:     func(h *harness) string { return h.sweep() },
		answer: "found 1",
		changes: []string{
			"+ log 001 = found order=A entry=A consumer=c1",
			"+ pending A = c1",
		},
	}, {
		name: "a consumer was deleted that is gone",
		given: func(h *harness) {
			inFlight(h)
			h.leave("c1")
			h.redis("XGROUP", "DELCONSUMER", "%stream", groupName, "c1")
		},
		do:     func(h *harness) string { return h.sweep() },
		answer: "found 1",
		changes: []string{
			"+ due A = now",
			"+ log 001 = found order=A entry=A consumer=parked",
			"+ pending A = parked",
			"- record A consumer = c1",
			"- record A take = 1",
			"record A state: in_flight -> parked",
		},
	}, {
		name: "what is parked was deleted: it keeps its time",
		given: func(h *harness) {
			inFlight(h)
			h.k = 1
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, 3600e9)
			h.redis("XGROUP", "DELCONSUMER", "%stream", groupName, "parked")
		},
		do:     func(h *harness) string { return h.sweep() },
		answer: "found 1",
		changes: []string{
			"+ log 002 = found order=A entry=A consumer=parked",
			"+ pending A = parked",
		},
	}, {
		name: "what the group has yet to read is not astray",
		given: func(h *harness) {
			h.register("c1")
			h.submit("A")
		},
		do:     func(h *harness) string { return h.sweep() },
		answer: "found 0",
	}})
}

// It goes through all that was read, in pages.
func TestSweepOfMany(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.q = h.queueWith(streamutil.QueueConfig{MaxInFlight: 1000})
	h.registerAt("c1", 0)
	for i := range 120 {
		h.redis("XADD", "%stream", "*", "id", fmt.Sprintf("o%d", i), "body", "{}")
	}
	h.take("c1", 1, 110)
	h.redis("XGROUP", "DELCONSUMER", "%stream", groupName, "c1")
	h.expect(h.sweep(), "found 110")
	h.expect(h.sweep(), "found 0")
	if s := h.snapshot(); s.InFlight != 110 || s.Waiting != 10 {
		t.Errorf("%d in flight, %d waiting", s.InFlight, s.Waiting)
	}
}

// An order whose entry was deleted by hand before it was sent is as good as
// cancelled, and submitting it again has it sent.
func TestVanishedBeforeItWasSent(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	h.redis("XDEL", "%stream", h.entries["A"].String())
	h.expect(h.lookup("A"), "A cancelled position=0 attempts=0")
	h.expect(h.submitBody("A", "other"), "ErrConflict")
	h.expect(h.submit("A"), "accepted A~2 waiting position=3 wait=2s")
	h.expect(h.take("c1", 1, 1), "taken B#1")
}
