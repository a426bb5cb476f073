package streamutil_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

func TestLookup(t *testing.T) {
	of := func(order string) func(h *harness) string {
		return func(h *harness) string { return h.lookup(order) }
	}
	runCases(t, []scriptCase{{
		name:   "never heard of",
		given:  ready,
		do:     of("X"),
		answer: "ErrNotFound",
	}, {
		name:   "waiting, with nobody there to send",
		given:  func(h *harness) { h.submit("A") },
		do:     of("A"),
		answer: "A waiting position=1 attempts=0",
	}, {
		name:   "waiting in the second place",
		given:  ready,
		do:     of("B"),
		answer: "B waiting position=2 wait=1s attempts=0",
	}, {
		name:   "what is due comes before what waits",
		given:  parkedNow,
		do:     of("B"),
		answer: "B waiting position=2 wait=1s attempts=0",
	}, {
		name:   "in flight",
		given:  inFlight,
		do:     of("A"),
		answer: "A in_flight position=0 attempts=1 with=c1",
	}, {
		name: "parked until a time",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Minute)
		},
		do:     of("A"),
		answer: "A parked position=0 attempts=1 due=1m0s last=failed/500/answer",
	}, {
		name:   "parked and due",
		given:  parkedNow,
		do:     of("A"),
		answer: "A parked position=0 attempts=1 due=0s last=failed/500/answer",
	}, {
		name: "delivered",
		given: func(h *harness) {
			inFlight(h)
			h.delivered("c1", 1, "A")
		},
		do:     of("A"),
		answer: "A delivered position=0 attempts=1 last=delivered/200/thanks",
	}, {
		name: "dead",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
		},
		do:     of("A"),
		answer: "A dead position=0 attempts=1 last=rejected/500/answer",
	}, {
		name: "in flight when the group was destroyed: waiting again",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XGROUP", "DESTROY", "%stream", groupName)
		},
		do:     of("A"),
		answer: "A waiting position=1 wait=0s attempts=1",
	}, {
		name: "parked when the group was created again: waiting again",
		given: func(h *harness) {
			parkedNow(h)
			h.redis("XGROUP", "DESTROY", "%stream", groupName)
			h.beat("c1", 1)
		},
		do:     of("A"),
		answer: "A waiting position=1 wait=0s attempts=1 last=failed/500/answer",
	}, {
		name: "added by hand with a sequence that is no number",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("A", "id", "A", "body", "{}", "seq", "many")
			h.take("c1", 1, 1)
			h.redis("XGROUP", "DESTROY", "%stream", groupName)
			h.beat("c1", 1)
		},
		do:     of("A"),
		answer: "A waiting position=1 wait=0s attempts=1",
	}})
}

func TestLookupTellsTheTimes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
	h.anHourPasses()
	h.take("c1", 2, 1)
	h.delivered("c1", 2, "A")
	got, err := h.q.Lookup(t.Context(), "A")
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]time.Time{"accepted": got.Accepted, "taken": got.Taken, "finished": got.Finished} {
		if ago := time.Since(at); ago < -time.Minute || ago > time.Minute {
			t.Errorf("%s %v ago", name, ago)
		}
	}
	got.Accepted, got.Taken, got.Finished = time.Time{}, time.Time{}, time.Time{}
	want := streamutil.Record{
		OrderID: "A", Entry: h.entries["A"], State: streamutil.Delivered, Attempts: 2,
		LastOutcome: streamutil.OutcomeDelivered, LastStatus: 200, LastAnswer: "thanks",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
