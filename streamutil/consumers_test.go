package streamutil_test

import (
	"testing"
	"time"
)

func TestRegister(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "the first one of all finds the epoch open",
		do:     func(h *harness) string { return h.register("c1") },
		answer: "epoch 1 open slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ consumer c1 = beat=0 k=0 pace=1s",
			"+ control pace = 1000000",
			"+ group = exists",
			"+ pace epoch = epoch 1",
			"+ pace open = 1",
			"+ pace server = set",
			"+ pace slot = 0",
			"+ pace state = granted",
			"+ stats taken = 0",
		},
	}, {
		name: "orders that came before are new to the group",
		given: func(h *harness) {
			h.submit("A")
			h.submit("B")
		},
		do:     func(h *harness) string { return h.register("c1") },
		answer: "epoch 1 open slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ consumer c1 = beat=0 k=0 pace=1s",
			"+ control pace = 1000000",
			"+ group = exists",
			"+ pace epoch = epoch 1",
			"+ pace open = 1",
			"+ pace server = set",
			"+ pace slot = 0",
			"+ pace state = granted",
			"+ stats taken = 0",
		},
	}, {
		name:   "again: the name stays as it is",
		given:  inFlight,
		do:     func(h *harness) string { return h.registerAt("c1", time.Minute) },
		answer: "epoch 1 open slot 1 granted wait=1.2s pace=1s",
	}, {
		name:   "the slowest pace is in force",
		given:  func(h *harness) { h.register("c1") },
		do:     func(h *harness) string { return h.registerAt("c2", time.Minute) },
		answer: "epoch 1 open slot 0 granted wait=1m0.2s pace=1m0s",
		changes: []string{
			"+ consumer c2 = beat=0 k=0 pace=1m0s",
			"control pace: 1000000 -> 60000000",
		},
	}, {
		name:   "a faster one changes nothing",
		given:  func(h *harness) { h.register("c1") },
		do:     func(h *harness) string { return h.registerAt("c2", 0) },
		answer: "epoch 1 open slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ consumer c2 = beat=0 k=0 pace=0s",
		},
	}, {
		name: "another server, nobody registered, nothing in flight: open at once",
		given: func(h *harness) {
			parkedNow(h)
			h.leave("c1")
			h.redis("HSET", "%pace", "server", "another")
		},
		do:     func(h *harness) string { return h.register("c2") },
		answer: "epoch 2 open slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ consumer c2 = beat=0 k=0 pace=1s",
			"+ log 002 = epoch state=open",
			"- pace holder = c1",
			"- pace last_start = 200000",
			"pace epoch: epoch 1 -> epoch 2",
			"pace slot: 1 -> 0",
		},
	}, {
		name: "another server, and somebody was registered: closed",
		given: func(h *harness) {
			h.register("c1")
			h.redis("HSET", "%pace", "server", "another")
		},
		do:     func(h *harness) string { return h.register("c2") },
		answer: "epoch 2 closed slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ consumer c2 = beat=0 k=0 pace=1s",
			"+ log 001 = epoch state=closed",
			"pace epoch: epoch 1 -> epoch 2",
			"pace open: 1 -> 0",
		},
	}, {
		name: "another server, and something is in flight: closed",
		given: func(h *harness) {
			inFlight(h)
			h.leave("c1")
			h.redis("HSET", "%pace", "server", "another")
		},
		do:     func(h *harness) string { return h.register("c2") },
		answer: "epoch 2 closed slot 0 granted wait=1.2s pace=1s",
		changes: []string{
			"+ consumer c2 = beat=0 k=0 pace=1s",
			"+ log 001 = epoch state=closed",
			"- pace holder = c1",
			"- pace last_start = 200000",
			"pace epoch: epoch 1 -> epoch 2",
			"pace open: 1 -> 0",
			"pace slot: 1 -> 0",
		},
	}})
}

func TestHeartbeat(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "moves the counter, tells everybody's",
		given:  func(h *harness) { h.register("c1"); h.register("c2") },
		do:     func(h *harness) string { return h.beat("c1", 7) },
		answer: "epoch 1 open slot 0 granted wait=1.2s pace=1s; 0 due; c1=7 c2=0",
		changes: []string{
			"consumer c1: beat=0 k=0 pace=1s -> beat=7 k=0 pace=1s",
		},
	}, {
		name:   "a late one sets nothing back",
		given:  func(h *harness) { h.register("c1"); h.beat("c1", 7) },
		do:     func(h *harness) string { return h.beat("c1", 6) },
		answer: "epoch 1 open slot 0 granted wait=1.2s pace=1s; 0 due; c1=7",
	}, {
		name:   "an unknown name",
		given:  func(h *harness) { h.register("c1") },
		do:     func(h *harness) string { return h.beat("c2", 1) },
		answer: "ErrGone",
	}, {
		name:   "tells what is due",
		given:  parkedNow,
		do:     func(h *harness) string { return h.beat("c1", 1) },
		answer: "epoch 1 open slot 1 granted wait=1.2s pace=1s; 1 due; c1=1",
		changes: []string{
			"consumer c1: beat=0 k=1 pace=1s -> beat=1 k=1 pace=1s",
		},
	}, {
		name: "tells who holds entries without being registered",
		given: func(h *harness) {
			inFlight(h)
			h.register("c2")
			h.leave("c1")
		},
		do:     func(h *harness) string { return h.beat("c2", 1) },
		answer: "epoch 1 open slot 1 granted wait=1.2s pace=1s; 0 due; c1=-1 c2=1",
		changes: []string{
			"consumer c2: beat=0 k=0 pace=1s -> beat=1 k=0 pace=1s",
		},
	}, {
		name:   "its pace is the one it is configured with now",
		given:  func(h *harness) { h.register("c1") },
		do:     func(h *harness) string { return h.beatAt("c1", 1, 3*time.Second) },
		answer: "epoch 1 open slot 0 granted wait=3.2s pace=3s; 0 due; c1=1",
		changes: []string{
			"consumer c1: beat=0 k=0 pace=1s -> beat=1 k=0 pace=3s",
			"control pace: 1000000 -> 3000000",
		},
	}, {
		name: "the consumers hash was deleted",
		given: func(h *harness) {
			h.register("c1")
			h.redis("DEL", "%consumers")
		},
		do:     func(h *harness) string { return h.beat("c1", 1) },
		answer: "ErrGone",
	}, {
		name: "the pace hash was deleted: a new epoch, closed",
		given: func(h *harness) {
			h.register("c1")
			h.redis("DEL", "%pace")
		},
		do:     func(h *harness) string { return h.beat("c1", 1) },
		answer: "epoch 2 closed slot 0 granted wait=1.2s pace=1s; 0 due; c1=1",
		changes: []string{
			"+ pace epoch = epoch 2",
			"+ pace open = 0",
			"+ pace server = set",
			"+ pace slot = 0",
			"+ pace state = granted",
			"consumer c1: beat=0 k=0 pace=1s -> beat=1 k=0 pace=1s",
		},
	}, {
		name: "another server: a new epoch, closed",
		given: func(h *harness) {
			inFlight(h)
			h.redis("HSET", "%pace", "server", "another")
		},
		do:     func(h *harness) string { return h.beat("c1", 1) },
		answer: "epoch 2 closed slot 0 granted wait=1.2s pace=1s; 0 due; c1=1",
		changes: []string{
			"+ log 001 = epoch state=closed",
			"- pace holder = c1",
			"- pace last_start = 200000",
			"consumer c1: beat=0 k=1 pace=1s -> beat=1 k=1 pace=1s",
			"pace epoch: epoch 1 -> epoch 2",
			"pace open: 1 -> 0",
			"pace slot: 1 -> 0",
		},
	}, {
		name: "unlimited: the wait of slot 0 is a whole batch",
		given: func(h *harness) {
			h.registerAt("c1", 0)
			h.redis("HSET", "%pace", "server", "another")
		},
		do:     func(h *harness) string { return h.beatAt("c1", 1, 0) },
		answer: "epoch 2 closed slot 0 granted wait=300ms pace=0s; 0 due; c1=1",
		changes: []string{
			"+ log 001 = epoch state=closed",
			"consumer c1: beat=0 k=0 pace=0s -> beat=1 k=0 pace=0s",
			"pace epoch: epoch 1 -> epoch 2",
			"pace open: 1 -> 0",
		},
	}})
}
