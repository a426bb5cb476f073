package streamutil_test

import (
	"testing"
	"time"

	"orderq/streamutil"
)

func TestSettle(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "delivered",
		given:  inFlight,
		do:     func(h *harness) string { return h.delivered("c1", 1, "A") },
		answer: "ok delivered",
		changes: []string{
			"+ log 001 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A answer = thanks",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A outcome = delivered",
			"+ record A status = 200",
			"+ stats delivered = 1",
			"- pending A = c1",
			"- record A consumer = c1",
			"- record A take = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A state: in_flight -> delivered",
		},
	}, {
		name: "delivered again",
		given: func(h *harness) {
			inFlight(h)
			h.delivered("c1", 1, "A")
		},
		do:     func(h *harness) string { return h.delivered("c1", 1, "A") },
		answer: "ok delivered",
	}, {
		name:  "failed parks it",
		given: inFlight,
		do: func(h *harness) string {
			return h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Minute)
		},
		answer: "ok parked",
		changes: []string{
			"+ control failures = 1",
			"+ control suspect = A",
			"+ control suspicion = 1",
			"+ due A = 1m0s",
			"+ log 001 = attempt order=A entry=A consumer=c1 outcome=failed state=parked status=500 attempt=1",
			"+ record A answer = answer",
			"+ record A outcome = failed",
			"+ record A seen = 0",
			"+ record A status = 500",
			"- record A consumer = c1",
			"- record A take = 1",
			"pending A: c1 -> parked",
			"record A state: in_flight -> parked",
		},
	}, {
		name:   "failed again changes nothing",
		given:  parkedNow,
		do:     func(h *harness) string { return h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Minute) },
		answer: "stray parked",
	}, {
		name:   "rejected sets it aside",
		given:  inFlight,
		do:     func(h *harness) string { return h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0) },
		answer: "ok dead",
		changes: []string{
			`+ dead A = id=A body={"of":"A"} reason=rejected status=500 answer=answer attempts=1`,
			"+ log 001 = dead order=A entry=A reason=rejected",
			"+ log 002 = attempt order=A entry=A consumer=c1 outcome=rejected state=dead status=500 attempt=1",
			"+ record A answer = answer",
			"+ record A finished = set",
			"+ record A letter = set",
			"+ record A outcome = rejected",
			"+ record A status = 500",
			"+ stats dead = 1",
			"- pending A = c1",
			"- record A consumer = c1",
			"- record A take = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A state: in_flight -> dead",
		},
	}, {
		name: "rejected again changes nothing",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
		},
		do:     func(h *harness) string { return h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0) },
		answer: "stray dead",
	}, {
		name:  "uncertain parks it",
		given: inFlight,
		do: func(h *harness) string {
			return h.settle("c1", 1, "A", streamutil.OutcomeUncertain, 10*time.Second)
		},
		answer: "ok parked",
		changes: []string{
			"+ control failures = 1",
			"+ control suspect = A",
			"+ control suspicion = 1",
			"+ due A = 10s",
			"+ log 001 = attempt order=A entry=A consumer=c1 outcome=uncertain state=parked status=500 attempt=1",
			"+ record A answer = answer",
			"+ record A outcome = uncertain",
			"+ record A seen = 0",
			"+ record A status = 500",
			"- record A consumer = c1",
			"- record A take = 1",
			"pending A: c1 -> parked",
			"record A state: in_flight -> parked",
		},
	}, {
		name:  "uncertain sets it aside where that is wanted",
		given: inFlight,
		do: func(h *harness) string {
			return h.settleAs(streamutil.Settlement{
				Consumer: "c1", K: 1, Entry: h.entries["A"], OrderID: "A",
				Outcome: streamutil.OutcomeUncertain, Policy: streamutil.Policy{BuryUncertain: true},
			})
		},
		answer: "ok dead",
		changes: []string{
			"+ control failures = 1",
			"+ control suspect = A",
			"+ control suspicion = 1",
			`+ dead A = id=A body={"of":"A"} reason=uncertain status=0 attempts=1`,
			"+ log 001 = dead order=A entry=A reason=uncertain",
			"+ log 002 = attempt order=A entry=A consumer=c1 outcome=uncertain state=dead status=0 attempt=1",
			"+ record A answer = ",
			"+ record A finished = set",
			"+ record A letter = set",
			"+ record A outcome = uncertain",
			"+ record A seen = 0",
			"+ record A status = 0",
			"+ stats dead = 1",
			"- pending A = c1",
			"- record A consumer = c1",
			"- record A take = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A state: in_flight -> dead",
		},
	}, {
		name:   "by another consumer",
		given:  inFlight,
		do:     func(h *harness) string { return h.settle("c2", 1, "A", streamutil.OutcomeFailed, 0) },
		answer: "stray in_flight",
	}, {
		name: "by an older take of the same consumer",
		given: func(h *harness) {
			parkedNow(h)
			h.take("c1", 2, 1)
		},
		do:     func(h *harness) string { return h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0) },
		answer: "stray in_flight",
	}, {
		name:  "an entry that is another order's",
		given: inFlight,
		do: func(h *harness) string {
			return h.settleAs(streamutil.Settlement{
				Consumer: "c1", K: 1, Entry: h.entries["A"], OrderID: "B", Outcome: streamutil.OutcomeFailed,
			})
		},
		answer: "stray waiting",
	}, {
		name:  "an order never heard of",
		given: ready,
		do: func(h *harness) string {
			return h.settleAs(streamutil.Settlement{
				Consumer: "c1", K: 1, Entry: streamutil.EntryID{Ms: 1}, OrderID: "X", Outcome: streamutil.OutcomeFailed,
			})
		},
		answer: "stray",
	}, {
		name: "an entry deleted by hand",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XDEL", "%stream", h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0) },
		answer: "ok cancelled",
		changes: []string{
			"+ log 001 = vanished entry=A",
			"+ log 002 = attempt order=A entry=A consumer=c1 outcome=failed state=cancelled status=500 attempt=1",
			"+ record A answer = answer",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A outcome = failed",
			"+ record A status = 500",
			"+ stats cancelled = 1",
			"+ stats vanished = 1",
			"- pending A = c1",
			"- record A consumer = c1",
			"- record A take = 1",
			"record A state: in_flight -> cancelled",
		},
	}, {
		name: "one acknowledged by hand",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XACK", "%stream", groupName, h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0) },
		answer: "ok parked",
		changes: []string{
			"+ control failures = 1",
			"+ control suspect = A",
			"+ control suspicion = 1",
			"+ due A = now",
			"+ log 001 = attempt order=A entry=A consumer=c1 outcome=failed state=parked status=500 attempt=1",
			"+ pending A = parked",
			"+ record A answer = answer",
			"+ record A outcome = failed",
			"+ record A seen = 0",
			"+ record A status = 500",
			"- record A consumer = c1",
			"- record A take = 1",
			"record A state: in_flight -> parked",
		},
	}})
}

func TestSettleKeepsTheStartOfALongAnswer(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	long := make([]byte, 10_000)
	h.settleAs(streamutil.Settlement{
		Consumer: "c1", K: 1, Entry: h.entries["A"], OrderID: "A",
		Outcome: streamutil.OutcomeFailed, Answer: string(long),
	})
	r, err := h.q.Lookup(t.Context(), "A")
	if err != nil || len(r.LastAnswer) != 2048 {
		t.Errorf("kept %d bytes, %v; want 2048", len(r.LastAnswer), err)
	}
}
