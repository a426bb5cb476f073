package streamutil_test

import (
	"testing"
	"time"
)

func TestTakeOfWhatIsNoOrder(t *testing.T) {
	next := func(h *harness) string { return h.take("c1", 1, 1) }
	runCases(t, []scriptCase{{
		name: "no id",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("stray", "body", "{}")
			h.submit("A")
		},
		do:     next,
		answer: "taken A#1",
		changes: []string{
			"+ dead stray = body={} reason=undecodable attempts=0",
			"+ log 001 = dead entry=stray reason=undecodable",
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"+ stats dead = 1",
			"- stream stray = body={}",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name: "an id that no order can have",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("stray", "id", "a b", "body", "{}")
			h.submit("A")
		},
		do:     next,
		answer: "taken A#1",
		changes: []string{
			"+ dead stray = id=a b body={} reason=undecodable attempts=0",
			"+ log 001 = dead order=a b entry=stray reason=undecodable",
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"+ stats dead = 1",
			"- stream stray = id=a b body={}",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name: "no body",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("stray", "id", "X")
			h.submit("A")
		},
		do:     next,
		answer: "taken A#1",
		changes: []string{
			"+ dead stray = id=X reason=undecodable attempts=0",
			"+ log 001 = dead order=X entry=stray reason=undecodable",
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"+ stats dead = 1",
			"- stream stray = id=X",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name: "an order a second time, by hand",
		given: func(h *harness) {
			h.registerAt("c1", 50*time.Millisecond)
			h.submit("A")
			h.addByHand("copy", "id", "A", "body", "other")
		},
		do:     func(h *harness) string { return h.take("c1", 1, 2) },
		answer: "taken A#1",
		changes: []string{
			"+ dead copy = id=A body=other reason=duplicate attempts=0",
			"+ log 001 = dead order=A entry=copy reason=duplicate",
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"+ stats dead = 1",
			"- stream copy = id=A body=other",
			"consumer c1: beat=0 k=0 pace=50ms -> beat=0 k=1 pace=50ms",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name: "an order added by hand is one, from its first attempt on",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("H", "id", "H", "body", "{}")
		},
		do:     next,
		answer: "taken H#1",
		changes: []string{
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending H = c1",
			"+ record H accepted = set",
			"+ record H attempts = 1",
			"+ record H consumer = c1",
			"+ record H entry = H",
			"+ record H seq = 0",
			"+ record H state = in_flight",
			"+ record H take = 1",
			"+ record H taken = set",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
		},
	}, {
		name: "an order by hand with a sequence that is no number: positions stay sound",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("H", "id", "H", "body", "{}", "seq", "nan")
			h.take("c1", 1, 1)
		},
		do:     func(h *harness) string { return h.submit("A") },
		answer: "accepted A waiting position=1 wait=0s",
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
		name: "no order at all: the slot is not used",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("stray", "note", "hello")
		},
		do:     next,
		answer: "empty unknown after 0-0",
		changes: []string{
			"+ dead stray = reason=undecodable attempts=0",
			"+ log 001 = dead entry=stray reason=undecodable",
			"+ stats dead = 1",
			"- stream stray = ",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
		},
	}})
}

func TestTakeAfterAHandInTheStream(t *testing.T) {
	runCases(t, []scriptCase{{
		name: "an entry deleted while it waited",
		given: func(h *harness) {
			ready(h)
			h.redis("XDEL", "%stream", h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "taken B#1",
		changes: []string{
			"+ log 001 = vanished orders=1",
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending B = c1",
			"+ record B consumer = c1",
			"+ record B take = 1",
			"+ record B taken = set",
			"+ stats skipped = 0",
			"+ stats vanished = 1",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record B attempts: 0 -> 1",
			"record B state: waiting -> in_flight",
			"stats taken: 0 -> 2",
		},
	}, {
		name: "an entry deleted while it was in flight",
		given: func(h *harness) {
			inFlight(h)
			h.redis("XDEL", "%stream", h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1) },
		answer: "taken B#1",
		changes: []string{
			"+ log 001 = vanished entry=A",
			"+ pending B = c1",
			"+ record B consumer = c1",
			"+ record B take = 2",
			"+ record B taken = set",
			"+ stats vanished = 1",
			"- pending A = c1",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace slot: 1 -> 2",
			"record B attempts: 0 -> 1",
			"record B state: waiting -> in_flight",
			"stats taken: 1 -> 2",
		},
	}, {
		name: "an entry deleted while it was parked",
		given: func(h *harness) {
			parkedNow(h)
			h.redis("XDEL", "%stream", h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1) },
		answer: "taken B#1",
		changes: []string{
			"+ log 002 = vanished entry=A",
			"+ pending B = c1",
			"+ record B consumer = c1",
			"+ record B take = 2",
			"+ record B taken = set",
			"+ stats vanished = 1",
			"- due A = now",
			"- pending A = parked",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace slot: 1 -> 2",
			"record B attempts: 0 -> 1",
			"record B state: waiting -> in_flight",
			"stats taken: 1 -> 2",
		},
	}, {
		name: "a parked entry acknowledged by hand is found again",
		given: func(h *harness) {
			parkedNow(h)
			h.redis("XACK", "%stream", groupName, h.entries["A"].String())
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1) },
		answer: "taken A#2",
		changes: []string{
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 2",
			"- due A = now",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace slot: 1 -> 2",
			"record A attempts: 1 -> 2",
			"record A state: parked -> in_flight",
		},
	}})
}
