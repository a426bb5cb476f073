package streamutil_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestEnqueue(t *testing.T) {
	again := func(h *harness) string { return h.submit("A") }
	runCases(t, []scriptCase{{
		name:   "the first order of all, before any consumer came",
		do:     again,
		answer: "accepted A waiting position=1",
		changes: []string{
			"+ record A accepted = set",
			"+ record A attempts = 0",
			"+ record A entry = A",
			"+ record A hash = set",
			"+ record A seq = 1",
			"+ record A state = waiting",
			"+ stats accepted = 1",
			"+ stats seq = 1",
			`+ stream A = id=A body={"of":"A"} seq=1`,
		},
	}, {
		name: "the pace is known: an estimate",
		given: func(h *harness) {
			h.register("c1")
			h.submit("first")
			h.submit("second")
		},
		do:     again,
		answer: "accepted A waiting position=3 wait=2s",
		changes: []string{
			"+ record A accepted = set",
			"+ record A attempts = 0",
			"+ record A entry = A",
			"+ record A hash = set",
			"+ record A seq = 3",
			"+ record A state = waiting",
			`+ stream A = id=A body={"of":"A"} seq=3`,
			"stats accepted: 2 -> 3",
			"stats seq: 2 -> 3",
		},
	}, {
		name: "a hold counts in the estimate, what is due comes before",
		given: func(h *harness) {
			parkedNow(h)
			h.redis("HSET", "%control", "hold_until", h.inQueueTime(time.Minute))
		},
		do:     func(h *harness) string { return h.submit("C") },
		answer: "accepted C waiting position=3 wait=1m2s",
		changes: []string{
			"+ record C accepted = set",
			"+ record C attempts = 0",
			"+ record C entry = C",
			"+ record C hash = set",
			"+ record C seq = 3",
			"+ record C state = waiting",
			`+ stream C = id=C body={"of":"C"} seq=3`,
			"stats accepted: 2 -> 3",
			"stats seq: 2 -> 3",
		},
	}, {
		name:   "the same again",
		given:  ready,
		do:     again,
		answer: "duplicate A waiting position=1 wait=0s",
	}, {
		name:   "the same again while in flight",
		given:  inFlight,
		do:     again,
		answer: "duplicate A in_flight position=0",
	}, {
		name:   "the same again while parked",
		given:  parkedNow,
		do:     again,
		answer: "duplicate A parked position=0",
	}, {
		name: "the same again when delivered; its record's time goes on",
		given: func(h *harness) {
			inFlight(h)
			h.delivered("c1", 1, "A")
		},
		do:     again,
		answer: "duplicate A delivered position=0",
	}, {
		name: "the same again when dead",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
		},
		do:     again,
		answer: "duplicate A dead position=0",
	}, {
		name:   "another body under a known id",
		given:  ready,
		do:     func(h *harness) string { return h.submitBody("A", `{"of":"other"}`) },
		answer: "ErrConflict",
	}, {
		name: "an order that was added by hand and taken: its id says it is the same",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("A", "id", "A", "body", "{}")
			h.take("c1", 1, 1)
		},
		do:     again,
		answer: "duplicate A in_flight position=0",
	}, {
		name: "the stats were deleted",
		given: func(h *harness) {
			ready(h)
			h.redis("DEL", "%stats")
		},
		do:     func(h *harness) string { return h.submit("C") },
		answer: "accepted C waiting position=1 wait=0s",
		changes: []string{
			"+ record C accepted = set",
			"+ record C attempts = 0",
			"+ record C entry = C",
			"+ record C hash = set",
			"+ record C seq = 1",
			"+ record C state = waiting",
			"+ stats accepted = 1",
			"+ stats seq = 1",
			`+ stream C = id=C body={"of":"C"} seq=1`,
		},
	}})
}

func TestEnqueueKeepsEveryByte(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.register("c1")
	body := "\x00\r\n\xff{\"a\": 1 } é " + strings.Repeat("x", 70_000)
	r, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "A", Body: []byte(body), TraceParent: "00-1-2-01"})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := h.q.Take(t.Context(), streamutil.Take{Consumer: "c1", K: 1, N: 1, Epoch: h.slot.Epoch})
	if err != nil || len(taken.Orders) != 1 {
		t.Fatalf("%+v %v", taken, err)
	}
	o := taken.Orders[0]
	if string(o.Body) != body || o.TraceParent != "00-1-2-01" || o.Entry != r.Entry {
		t.Errorf("came out as %q, trace %q, entry %v", o.Body[:20], o.TraceParent, o.Entry)
	}
	if d := o.Accepted.Sub(r.Entry.Time()); d < -time.Second || d > time.Second {
		t.Errorf("accepted %v after its entry", d)
	}
}

// WAIT and WAITAOF vouch only for a connection that wrote: a repetition changes
// nothing, and is a write all the same.
func TestEnqueueAgainIsAWrite(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	inFlight(h)
	h.delivered("c1", 1, "A")
	writes := func() string {
		_, after, _ := strings.Cut(srv.CLI("INFO", "persistence"), "rdb_changes_since_last_save:")
		return strings.Fields(after)[0]
	}
	for _, order := range []string{"A", "B"} { // with and without a time to live
		before := writes()
		h.submit(order)
		if after := writes(); after == before {
			t.Errorf("order %s again: still %s writes", order, after)
		}
	}
}

func TestEnqueueRefusesWhenFull(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.q = h.queueWith(streamutil.QueueConfig{MaxBacklog: 2})
	h.submit("A")
	h.submit("B")
	h.expect(h.submit("C"), "ErrFull")
	h.expect(h.submit("A"), "duplicate A waiting position=1")
	h.register("c1")
	h.take("c1", 1, 1)
	h.expect(h.submit("C"), "ErrFull") // what is in flight is not finished
	h.delivered("c1", 1, "A")
	h.expect(h.submit("C"), "accepted C waiting position=2 wait=1s")
}

// A finished order's record lives for the retention, then its id is free.
func TestEnqueueAfterTheRetention(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.q = h.queueWith(streamutil.QueueConfig{Retention: 20 * time.Millisecond})
	inFlight(h)
	h.delivered("c1", 1, "A")
	redistest.Eventually(t, "the record is gone", func() bool { return h.lookup("A") == "ErrNotFound" })
	h.expect(h.submitBody("A", "another"), "accepted A~2 waiting position=2 wait=1s")
}

// At full memory a duplicate is recognised and what was accepted is worked off;
// only what is new is refused.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--maxmemory-policy", "noeviction")
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	h.register("c1")
	h.submit("A")
	h.submit("B")
	h.redis("CONFIG", "SET", "maxmemory", "1mb")
	before := h.facts()

	h.expect(h.submit("C"), "ErrMemory")
	if changes := before.changes(h.facts()); len(changes) > 0 {
		t.Errorf("the refused order changed %v", changes)
	}
	_, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "C", Body: []byte("{}")})
	if kind := streamutil.ErrorKind(err); kind != "oom" || errors.Is(err, streamutil.ErrUnavailable) {
		t.Errorf("kind %q of %v", kind, err)
	}
	h.expect(h.submit("A"), "duplicate A waiting position=1 wait=0s")
	h.expect(h.take("c1", 1, 1), "taken A#1")
	h.started()
	h.expect(h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0), "ok parked")
	h.expect(h.take("c1", 2, 1), "taken A#2")
	h.expect(h.delivered("c1", 2, "A"), "ok delivered")
	h.expect(h.take("c1", 3, 1), "taken B#1")
	h.expect(h.release("c1", 3, "B"), "released 1")
	h.beat("c1", 1)
	h.expect(h.reclaim("c1", 1), "due 0 dead 0")
}
