package streamutil_test

import (
	"testing"
	"time"

	"orderq/streamutil"
)

// ready: A and B wait, c1 is registered, the epoch is open.
func ready(h *harness) {
	h.register("c1")
	h.submit("A")
	h.submit("B")
}

// inFlight: as ready, and c1 has A by its take 1.
func inFlight(h *harness) {
	ready(h)
	h.take("c1", 1, 1)
}

// parkedNow: as ready, and A is due again after a failed attempt of c1.
func parkedNow(h *harness) {
	inFlight(h)
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0)
}

func TestTake(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "a new order",
		given:  ready,
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "taken A#1",
		changes: []string{
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name: "several at once, one grant for all",
		given: func(h *harness) {
			h.registerAt("c1", 50*time.Millisecond)
			h.submit("A")
			h.submit("B")
			h.submit("C")
		},
		do:     func(h *harness) string { return h.take("c1", 1, 5) },
		answer: "taken A#1 B#1",
		changes: []string{
			"+ pace holder = c1",
			"+ pace last_start = 250000",
			"+ pending A = c1",
			"+ pending B = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"+ record B consumer = c1",
			"+ record B take = 1",
			"+ record B taken = set",
			"consumer c1: beat=0 k=0 pace=50ms -> beat=0 k=1 pace=50ms",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"record B attempts: 0 -> 1",
			"record B state: waiting -> in_flight",
			"stats taken: 0 -> 2",
		},
	}, {
		name:   "no faster than 10/s, one at a time",
		given:  ready,
		do:     func(h *harness) string { return h.take("c1", 1, 5)[:9] },
		answer: "taken A#1",
		changes: []string{
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name:   "a due one before a new one, and its attempt counts on",
		given:  parkedNow,
		do:     func(h *harness) string { return h.take("c1", 2, 1) },
		answer: "taken A#2",
		changes: []string{
			"+ record A consumer = c1",
			"+ record A take = 2",
			"- due A = now",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace slot: 1 -> 2",
			"pending A: parked -> c1",
			"record A attempts: 1 -> 2",
			"record A state: parked -> in_flight",
		},
	}, {
		name: "a parked one that is not due is left",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
		},
		do:     func(h *harness) string { return h.take("c1", 2, 2) },
		answer: "taken B#1",
		changes: []string{
			"+ pending B = c1",
			"+ record B consumer = c1",
			"+ record B take = 2",
			"+ record B taken = set",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace slot: 1 -> 2",
			"record B attempts: 0 -> 1",
			"record B state: waiting -> in_flight",
			"stats taken: 1 -> 2",
		},
	}, {
		name:   "nothing there",
		given:  func(h *harness) { h.register("c1") },
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "empty unknown after 0-0",
		changes: []string{
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
		},
	}, {
		name: "nothing ready: tells when",
		given: func(h *harness) {
			h.register("c1")
			h.submit("A")
			h.take("c1", 1, 1)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1) },
		answer: "empty 1h0m0s after A",
		changes: []string{
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
		},
	}, {
		name:   "an unknown name",
		given:  ready,
		do:     func(h *harness) string { return h.take("nobody", 1, 1) },
		answer: "ErrGone",
	}, {
		name:   "a repeated k",
		given:  inFlight,
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "ErrStale",
	}, {
		name:   "n = 0 settles accounts",
		given:  inFlight,
		do:     func(h *harness) string { return h.take("c1", 2, 0) },
		answer: "settled",
		changes: []string{
			"+ due A = now",
			"- record A consumer = c1",
			"- record A take = 1",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pending A: c1 -> parked",
			"record A attempts: 1 -> 0",
			"record A state: in_flight -> parked",
		},
	}, {
		name:   "what is held stays",
		given:  inFlight,
		do:     func(h *harness) string { return h.take("c1", 2, 1, "A") },
		answer: "taken B#1",
		changes: []string{
			"+ pending B = c1",
			"+ record B consumer = c1",
			"+ record B take = 2",
			"+ record B taken = set",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace slot: 1 -> 2",
			"record B attempts: 0 -> 1",
			"record B state: waiting -> in_flight",
			"stats taken: 1 -> 2",
		},
	}, {
		name:   "what is not held is due, and taken again at once",
		given:  inFlight,
		do:     func(h *harness) string { return h.take("c1", 2, 1) },
		answer: "taken A#1",
		changes: []string{
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace slot: 1 -> 2",
			"record A take: 1 -> 2",
		},
	}, {
		name:  "another slot is in force",
		given: inFlight,
		do: func(h *harness) string {
			return h.takeAt(streamutil.Slot{Epoch: h.slot.Epoch, Number: 0}, "c1", 2, 1, "A")
		},
		answer: "told epoch 1 open slot 1 granted wait=1.2s pace=1s",
		changes: []string{
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
		},
	}, {
		name:  "another epoch is in force",
		given: ready,
		do: func(h *harness) string {
			return h.takeAt(streamutil.Slot{Epoch: "old", Number: 0}, "c1", 1, 1)
		},
		answer: "told epoch 1 open slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
		},
	}, {
		name: "the epoch is closed",
		given: func(h *harness) {
			inFlight(h)
			h.redis("HSET", "%pace", "server", "another")
			h.beat("c1", 1)
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1, "A") },
		answer: "closed epoch 2 closed slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"consumer c1: beat=1 k=1 pace=1s -> beat=1 k=2 pace=1s",
		},
	}, {
		name: "paused until someone resumes",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%control", "paused", "credentials")
		},
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "blocked credentials unknown",
		changes: []string{
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
		},
	}, {
		name: "paused for a time",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%control", "paused", "paused", "pause_until", h.inQueueTime(time.Minute))
		},
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "blocked paused 1m0s",
		changes: []string{
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
		},
	}, {
		name: "the pause is over",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%control", "paused", "paused", "pause_until", h.inQueueTime(-time.Second))
		},
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "taken A#1",
		changes: []string{
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name: "held",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%control", "hold_until", h.inQueueTime(time.Minute))
		},
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "blocked hold 1m0s",
		changes: []string{
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
		},
	}, {
		name: "the control hash was deleted: the pace comes from those registered",
		given: func(h *harness) {
			ready(h)
			h.redis("DEL", "%control")
		},
		do:     func(h *harness) string { return h.take("c1", 1, 1) },
		answer: "taken A#1",
		changes: []string{
			"+ control pace = 1000000",
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}, {
		name: "the consumers hash was deleted",
		given: func(h *harness) {
			inFlight(h)
			h.redis("DEL", "%consumers")
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1, "A") },
		answer: "ErrGone",
	}, {
		name: "the pace hash was deleted: a new epoch, closed",
		given: func(h *harness) {
			inFlight(h)
			h.redis("DEL", "%pace")
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1, "A") },
		answer: "told epoch 2 closed slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ pace epoch = epoch 2",
			"+ pace open = 0",
			"+ pace server = set",
			"+ pace slot = 0",
			"+ pace state = granted",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
		},
	}, {
		name: "the group was destroyed: all is new again, in a new epoch",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0)
			h.redis("XGROUP", "DESTROY", "%stream", groupName)
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1) },
		answer: "told epoch 2 closed slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ group = exists",
			"+ log 002 = group state=created again",
			"+ log 003 = epoch state=closed",
			"- due A = now",
			"- pace holder = c1",
			"- pace last_start = 200000",
			"consumer c1: beat=0 k=1 pace=1s -> beat=0 k=2 pace=1s",
			"pace epoch: epoch 1 -> epoch 2",
			"pace open: 1 -> 0",
			"pace slot: 1 -> 0",
			"stats taken: 1 -> 0",
		},
	}})
}
