package streamutil_test

import (
	"testing"
	"time"

	"orderq/streamutil"
)

func TestReclaim(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "what it had in flight becomes due, its name goes",
		given:  inFlight,
		do:     func(h *harness) string { return h.reclaim("c1", 0) },
		answer: "due 1 dead 0",
		changes: []string{
			"+ due A = now",
			"+ log 001 = reclaim consumer=c1 due=1 dead=0",
			"+ record A deaths = 1",
			"+ record A outcome = uncertain",
			"+ record A seen = 0",
			"+ record A strikes = 1",
			"- consumer c1 = beat=0 k=1 pace=1s",
			"- record A consumer = c1",
			"- record A take = 1",
			"pending A: c1 -> parked",
			"record A state: in_flight -> parked",
		},
	}, {
		name: "the beat has moved",
		given: func(h *harness) {
			inFlight(h)
			h.beat("c1", 3)
		},
		do:     func(h *harness) string { return h.reclaim("c1", 2) },
		answer: "alive",
	}, {
		name: "again: the name is unknown",
		given: func(h *harness) {
			inFlight(h)
			h.reclaim("c1", 0)
		},
		do:     func(h *harness) string { return h.reclaim("c1", 0) },
		answer: "alive",
	}, {
		name: "what it parked keeps its time",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
		},
		do:     func(h *harness) string { return h.reclaim("c1", 0) },
		answer: "due 0 dead 0",
		changes: []string{
			"+ log 002 = reclaim consumer=c1 due=0 dead=0",
			"- consumer c1 = beat=0 k=1 pace=1s",
		},
	}, {
		name: "entries under a name that nobody has",
		given: func(h *harness) {
			inFlight(h)
			h.leave("c1")
		},
		do:     func(h *harness) string { return h.reclaim("c1", -1) },
		answer: "due 1 dead 0",
		changes: []string{
			"+ due A = now",
			"+ log 001 = reclaim consumer=c1 due=1 dead=0",
			"+ record A deaths = 1",
			"+ record A outcome = uncertain",
			"+ record A seen = 0",
			"+ record A strikes = 1",
			"- record A consumer = c1",
			"- record A take = 1",
			"pending A: c1 -> parked",
			"record A state: in_flight -> parked",
		},
	}, {
		name:   "a registered name is not one that nobody has",
		given:  inFlight,
		do:     func(h *harness) string { return h.reclaim("c1", -1) },
		answer: "alive",
	}, {
		name:   "the parked ones are nobody's",
		given:  parkedNow,
		do:     func(h *harness) string { return h.reclaim("parked", -1) },
		answer: "alive",
	}, {
		name: "the queue's pace is that of those who are left",
		given: func(h *harness) {
			h.registerAt("c1", time.Second)
			h.registerAt("slow", time.Minute)
		},
		do:     func(h *harness) string { return h.reclaim("slow", 0) },
		answer: "due 0 dead 0",
		changes: []string{
			"+ log 001 = reclaim consumer=slow due=0 dead=0",
			"- consumer slow = beat=0 k=0 pace=1m0s",
			"control pace: 60000000 -> 1000000",
		},
	}, {
		name: "the third consumer that died with it: poison",
		given: func(h *harness) {
			h.registerAt("c1", 50*time.Millisecond)
			h.submit("A")
			h.submit("B")
			h.take("c1", 1, 1)
			h.reclaim("c1", 0)
			h.registerAt("c2", 50*time.Millisecond)
			h.take("c2", 1, 1)
			h.reclaim("c2", 0)
			h.registerAt("c3", 50*time.Millisecond)
			h.take("c3", 1, 2)
		},
		do:     func(h *harness) string { return h.reclaim("c3", 0) },
		answer: "due 1 dead 1",
		changes: []string{
			`+ dead A = id=A body={"of":"A"} reason=poison attempts=3`,
			"+ due B = now",
			"+ log 003 = dead order=A entry=A reason=poison",
			"+ log 004 = reclaim consumer=c3 due=1 dead=1",
			"+ record A finished = set",
			"+ record A letter = set",
			"+ record B deaths = 1",
			"+ record B outcome = uncertain",
			"+ record B seen = 0",
			"+ record B strikes = 1",
			"+ stats dead = 1",
			"- consumer c3 = beat=0 k=1 pace=50ms",
			"- pending A = c3",
			"- record A consumer = c3",
			"- record A take = 1",
			"- record B consumer = c3",
			"- record B take = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"pending B: c3 -> parked",
			"record A deaths: 2 -> 3",
			"record A state: in_flight -> dead",
			"record A strikes: 2 -> 3",
			"record B state: in_flight -> parked",
		},
	}, {
		name: "an entry deleted by hand",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XDEL", "%stream", h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.reclaim("c1", 0) },
		answer: "due 0 dead 0",
		changes: []string{
			"+ log 001 = vanished entry=A",
			"+ log 002 = reclaim consumer=c1 due=0 dead=0",
			"+ stats vanished = 1",
			"- consumer c1 = beat=0 k=1 pace=1s",
			"- pending A = c1",
		},
	}, {
		name: "what someone read by hand and is no order",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("stray", "note", "hello")
			h.redis("XREADGROUP", "GROUP", groupName, "someone", "STREAMS", "%stream", ">")
		},
		do:     func(h *harness) string { return h.reclaim("someone", -1) },
		answer: "due 0 dead 0",
		changes: []string{
			"+ dead stray = reason=undecodable attempts=0",
			"+ log 001 = dead entry=stray reason=undecodable",
			"+ log 002 = reclaim consumer=someone due=0 dead=0",
			"+ stats dead = 1",
			"- pending stray = someone",
			"- stream stray = ",
		},
	}})
}

// More than one page of XPENDING.
func TestReclaimOfMany(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.q = h.queueWith(streamutil.QueueConfig{MaxInFlight: 1000})
	h.registerAt("c1", 0)
	h.redis("EVAL", "for i = 1, 250 do redis.call('XADD', KEYS[1], '*', 'id', 'o' .. i, 'body', '{}') end", "1", "%stream")
	h.take("c1", 1, 250)
	h.expect(h.reclaim("c1", 0), "due 250 dead 0")
	if s := h.snapshot(); s.Parked != 250 || s.InFlight != 0 {
		t.Errorf("parked %d, in flight %d", s.Parked, s.InFlight)
	}
}
