package streamutil_test

import (
	"testing"
	"time"
)

func TestRelease(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "due at once, and the attempt does not count",
		given:  inFlight,
		do:     func(h *harness) string { return h.release("c1", 1, "A") },
		answer: "released 1",
		changes: []string{
			"+ due A = now",
			"- record A consumer = c1",
			"- record A take = 1",
			"pending A: c1 -> parked",
			"record A attempts: 1 -> 0",
			"record A state: in_flight -> parked",
		},
	}, {
		name:   "again changes nothing",
		given:  func(h *harness) { inFlight(h); h.release("c1", 1, "A") },
		do:     func(h *harness) string { return h.release("c1", 1, "A") },
		answer: "released 0",
	}, {
		name:   "several; what is not held by this take is left alone",
		given:  func(h *harness) { ready(h); h.take("c1", 1, 1); h.take("c1", 2, 1, "A") },
		do:     func(h *harness) string { return h.release("c1", 2, "A", "B") },
		answer: "released 1",
		changes: []string{
			"+ due B = now",
			"- record B consumer = c1",
			"- record B take = 2",
			"pending B: c1 -> parked",
			"record B attempts: 1 -> 0",
			"record B state: in_flight -> parked",
		},
	}, {
		name:   "by another consumer",
		given:  func(h *harness) { inFlight(h); h.register("c2") },
		do:     func(h *harness) string { return h.release("c2", 1, "A") },
		answer: "released 0",
	}, {
		name:   "an unknown name",
		given:  func(h *harness) { inFlight(h); h.leave("c1") },
		do:     func(h *harness) string { return h.release("c1", 1, "A") },
		answer: "ErrGone",
	}, {
		name: "an entry deleted by hand",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XDEL", "%stream", h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.release("c1", 1, "A") },
		answer: "released 0",
	}, {
		name:   "nothing",
		given:  inFlight,
		do:     func(h *harness) string { return h.release("c1", 1) },
		answer: "released 0",
	}})
}

func TestLeave(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "with nothing in flight",
		given:  func(h *harness) { ready(h); h.registerAt("slow", time.Minute) },
		do:     func(h *harness) string { return h.leave("slow") },
		answer: "left 0",
		changes: []string{
			"- consumer slow = beat=0 k=0 pace=1m0s",
			"control pace: 60000000 -> 1000000",
		},
	}, {
		name:   "the last one's pace stays, for those who estimate",
		given:  ready,
		do:     func(h *harness) string { return h.leave("c1") },
		answer: "left 0",
		changes: []string{
			"- consumer c1 = beat=0 k=0 pace=1s",
		},
	}, {
		name:   "with an order in flight, which is not lost",
		given:  inFlight,
		do:     func(h *harness) string { return h.leave("c1") },
		answer: "left 1",
		changes: []string{
			"- consumer c1 = beat=0 k=1 pace=1s",
		},
	}, {
		name:   "what it parked does not keep it",
		given:  parkedNow,
		do:     func(h *harness) string { return h.leave("c1") },
		answer: "left 0",
		changes: []string{
			"- consumer c1 = beat=0 k=1 pace=1s",
		},
	}, {
		name:   "again",
		given:  func(h *harness) { ready(h); h.leave("c1") },
		do:     func(h *harness) string { return h.leave("c1") },
		answer: "left 0",
	}})
}

// Names that come and go leave nothing behind in the group.
func TestNoConsumerOfTheGroupIsLeftBehind(t *testing.T) {
	t.Parallel()
	for _, goes := range []struct {
		name string
		how  func(h *harness) string
	}{
		{"leave", func(h *harness) string { return h.leave("c1") }},
		{"reclaim", func(h *harness) string { return h.reclaim("c1", 0) }},
	} {
		t.Run(goes.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			parkedNow(h)
			goes.how(h)
			if got := h.groupConsumers(); len(got) != 1 || got[0] != "parked" {
				t.Errorf("the group's consumers are %v", got)
			}
		})
	}
}
