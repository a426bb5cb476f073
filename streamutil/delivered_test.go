package streamutil_test

import (
	"testing"

	"orderq/streamutil"
)

// The order was delivered, whoever says so and whatever became of it since.
func TestSettleDeliveredAlwaysCounts(t *testing.T) {
	deliver := func(h *harness) string { return h.delivered("c1", 1, "A") }
	runCases(t, []scriptCase{{
		name:   "parked since",
		given:  parkedNow,
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 002 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ stats delivered = 1",
			"- control failures = 1",
			"- control suspect = A",
			"- control suspicion = 1",
			"- due A = now",
			"- pending A = parked",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A answer: answer -> thanks",
			"record A outcome: failed -> delivered",
			"record A state: parked -> delivered",
			"record A status: 500 -> 200",
		},
	}, {
		name: "another has it since",
		given: func(h *harness) {
			parkedNow(h)
			h.register("c2")
			h.take("c2", 1, 1)
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 002 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=2",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ stats delivered = 1",
			"- control failures = 1",
			"- control suspect = A",
			"- control suspicion = 1",
			"- pending A = c2",
			"- record A consumer = c2",
			"- record A take = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A answer: answer -> thanks",
			"record A outcome: failed -> delivered",
			"record A state: in_flight -> delivered",
			"record A status: 500 -> 200",
		},
	}, {
		name: "its consumer is unknown since",
		given: func(h *harness) {
			inFlight(h)
			h.reclaim("c1", 0)
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 002 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A answer = thanks",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A status = 200",
			"+ stats delivered = 1",
			"- due A = now",
			"- pending A = parked",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A outcome: uncertain -> delivered",
			"record A state: parked -> delivered",
		},
	}, {
		name: "dead since",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 003 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A expires = 72h0m0s",
			"+ stats delivered = 1",
			`- dead A = id=A body={"of":"A"} reason=rejected status=500 answer=answer attempts=1`,
			"- record A letter = set",
			"record A answer: answer -> thanks",
			"record A outcome: rejected -> delivered",
			"record A state: dead -> delivered",
			"record A status: 500 -> 200",
			"stats dead: 1 -> 0",
		},
	}, {
		name: "cancelled since",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XACK", "%stream", groupName, h.entries["A"].String())
			h.redis("XDEL", "%stream", h.entries["A"].String())
			h.redis("HSET", "%order:A", "state", "cancelled")
			h.redis("HINCRBY", "%stats", "cancelled", "1")
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 001 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A answer = thanks",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A outcome = delivered",
			"+ record A status = 200",
			"+ stats delivered = 1",
			"- record A consumer = c1",
			"- record A take = 1",
			"record A state: cancelled -> delivered",
			"stats cancelled: 1 -> 0",
		},
	}, {
		name: "requeued since as another entry",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
			old := h.entries["A"]
			h.addByHand("A again", "id", "A", "body", "{}")
			h.redis("HSET", "%order:A", "entry", h.entries["A again"].String(), "state", "waiting")
			h.redis("HDEL", "%order:A", "letter")
			h.entries["A"] = old
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 003 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A expires = 72h0m0s",
			"+ stats delivered = 1",
			"- stream A again = id=A body={}",
			"record A answer: answer -> thanks",
			"record A outcome: rejected -> delivered",
			"record A state: waiting -> delivered",
			"record A status: 500 -> 200",
		},
	}, {
		name: "the entry was deleted by hand",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XDEL", "%stream", h.entries["A"].String())
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 001 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A answer = thanks",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A outcome = delivered",
			"+ record A status = 200",
			"+ stats delivered = 1",
			"- record A consumer = c1",
			"- record A take = 1",
			"record A state: in_flight -> delivered",
		},
	}, {
		name: "the group was destroyed",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XGROUP", "DESTROY", "%stream", groupName)
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ group = exists",
			"+ log 001 = group state=created again",
			"+ log 002 = epoch state=closed",
			"+ log 003 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ record A answer = thanks",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A outcome = delivered",
			"+ record A status = 200",
			"+ stats delivered = 1",
			"- pace holder = c1",
			"- pace last_start = 200000",
			"- record A consumer = c1",
			"- record A take = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"pace epoch: epoch 1 -> epoch 2",
			"pace open: 1 -> 0",
			"pace slot: 1 -> 0",
			"record A state: in_flight -> delivered",
			"stats taken: 1 -> 0",
		},
	}, {
		name: "the entry ID is another order's since",
		given: func(h *harness) {
			inFlight(h)
			h.entries["A"] = h.entries["B"]
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 001 = attempt order=A entry=B consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
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
		name: "a failover forgot the order",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XACK", "%stream", groupName, h.entries["A"].String())
			h.redis("XDEL", "%stream", h.entries["A"].String())
			h.redis("DEL", "%order:A")
		},
		do:     deliver,
		answer: "ok delivered",
		changes: []string{
			"+ log 001 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=0",
			"+ record A answer = thanks",
			"+ record A entry = A",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ record A outcome = delivered",
			"+ record A state = delivered",
			"+ record A status = 200",
			"+ stats delivered = 1",
		},
	}})
}
