package streamutil_test

import (
	"testing"

	"orderq/streamutil"
)

func TestOpen(t *testing.T) {
	closed := func(h *harness) {
		h.register("c1")
		h.redis("HSET", "%pace", "server", "another")
		h.beat("c1", 1)
	}
	runCases(t, []scriptCase{{
		name:   "the present epoch",
		given:  closed,
		do:     func(h *harness) string { return h.open() },
		answer: "epoch 2 open slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"pace open: 0 -> 1",
		},
	}, {
		name:   "again",
		given:  func(h *harness) { closed(h); h.open() },
		do:     func(h *harness) string { return h.open() },
		answer: "epoch 2 open slot 0 granted wait=1.2s pace=1s",
	}, {
		name:   "another epoch is left as it is",
		given:  closed,
		do:     func(h *harness) string { return h.openAt("old") },
		answer: "epoch 2 closed slot 0 granted wait=1.2s pace=1s",
	}, {
		name: "the epoch that it opens has ended since",
		given: func(h *harness) {
			closed(h)
			h.redis("HSET", "%pace", "server", "yet another")
		},
		do:     func(h *harness) string { return h.open() },
		answer: "epoch 3 closed slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ log 002 = epoch state=closed",
			"pace epoch: epoch 2 -> epoch 3",
		},
	}})
}

func TestStarted(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "the present grant",
		given:  inFlight,
		do:     func(h *harness) string { return h.started() },
		answer: "epoch 1 open slot 1 started wait=1.2s pace=1s",
		changes: []string{
			"pace state: granted -> started",
		},
	}, {
		name:   "again",
		given:  func(h *harness) { inFlight(h); h.started() },
		do:     func(h *harness) string { return h.started() },
		answer: "epoch 1 open slot 1 started wait=1.2s pace=1s",
	}, {
		name:  "a grant before the present one",
		given: func(h *harness) { inFlight(h); h.take("c1", 2, 1, "A") },
		do: func(h *harness) string {
			return h.startedAt(streamutil.Slot{Epoch: h.slot.Epoch, Number: 1})
		},
		answer: "epoch 1 open slot 2 granted wait=1.2s pace=1s",
	}, {
		name:   "the same number in another epoch",
		given:  inFlight,
		do:     func(h *harness) string { return h.startedAt(streamutil.Slot{Epoch: "old", Number: 1}) },
		answer: "epoch 1 open slot 1 granted wait=1.2s pace=1s",
	}, {
		name:   "slot 0 belongs to nobody",
		given:  ready,
		do:     func(h *harness) string { return h.started() },
		answer: "epoch 1 open slot 0 granted wait=1.2s pace=1s",
	}})
}
