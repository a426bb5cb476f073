package streamutil_test

import (
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// The traces that a model checker found in earlier wordings of the protocol:
// each once lost an order, sent one twice at a time, or sent too fast. The last
// line of each comment says what holds it now. (F10 and F12 concern a consumer's
// clock, F11 a way of reclaiming that there is not.)

// A take is executed and its reply is lost. A goes on living, so nobody
// reclaims it, and works on nothing: the order waits for A's death.
//
// Held by take.lua: what is pending under the caller's name and not named as
// held becomes due.
func TestF1TakeReplyLost(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	told := h.slot
	h.expect(h.take("c1", 1, 1), "taken A#1") // lost: c1 does not know
	h.expect(h.takeAt(told, "c1", 2, 0), "settled")
	h.register("c2")
	h.expect(h.take("c2", 1, 1), "taken A#1") // it was never started: no attempt
}

// Take 1 is delayed. Take 2 and 3 give A to c1, which sends it. Then take 1 is
// executed with its old list of what c1 holds: A would be due, and c2 sends it
// as well.
//
// Held by take.lua: a k that is not above the last one is stale.
func TestF1LateTakeWithAnOldList(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	old := h.slot
	h.expect(h.take("c1", 2, 1), "taken A#1")
	h.expect(h.take("c1", 3, 1, "A"), "taken B#1")
	present := h.slot
	h.expect(h.takeAt(old, "c1", 1, 1), "ErrStale")
	h.slot = present
	h.register("c2")
	h.expect(h.take("c2", 1, 1), "empty unknown after B")
}

// c1 settles A as failed; the call is delayed and repeated. The repetition is
// executed, c1 takes A again and sends it. Now the delayed one is executed: the
// holder is c1, so A would be due and c2 sends it as well.
//
// Held by settle.lua: rec.take == k.
func TestF2LateSettleHitsTheNextAttempt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.expect(h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0), "ok parked")
	h.expect(h.take("c1", 2, 1), "taken A#2")
	before := h.facts()
	h.expect(h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0), "stray in_flight")
	if changes := before.changes(h.facts()); len(changes) > 0 {
		t.Errorf("the late settlement changed %v", changes)
	}
}

// The same with a release.
//
// Held by release.lua: rec[3] == k.
func TestF2LateReleaseHitsTheNextAttempt(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.expect(h.release("c1", 1, "A"), "released 1")
	h.expect(h.take("c1", 2, 1), "taken A#1")
	h.expect(h.release("c1", 1, "A"), "released 0")
	h.expect(h.take("c1", 3, 1, "A"), "taken B#1")
}

// c1 sends A and freezes. c2 watches the lease out and reclaims. c1 wakes and
// beats: its name would be there anew, it would take A, which it still sends.
//
// Held by heartbeat.lua and take.lua: an unknown name is gone; only
// register.lua makes one.
func TestF3ReclaimedConsumerComesBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.beat("c1", 1)
	h.expect(h.reclaim("c1", 1), "due 1 dead 0")
	h.expect(h.beat("c1", 2), "ErrGone")
	h.expect(h.take("c1", 2, 1), "ErrGone")
	h.expect(h.release("c1", 1, "A"), "ErrGone")
	if _, there := h.facts()["consumer c1"]; there {
		t.Error("the name is there again")
	}
}

// c1 crashes and is reclaimed. A take that it sent before is executed now: an
// order would be pending under a name that nobody watches.
//
// Held by take.lua: an unknown name is gone. heartbeat.lua lists names that hold
// entries without being registered, in case.
func TestF3LateTakeOfAnOrphan(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	h.expect(h.reclaim("c1", 0), "due 0 dead 0")
	h.expect(h.take("c1", 1, 1), "ErrGone")
	h.register("c2")
	h.expect(h.take("c2", 1, 1), "taken A#1")
}

// c2 saw c1's counter at 2. A failover sets it back; c1 beats on and a counter
// that Redis counts would reach 2 again: c2 believes it stood still and reclaims.
//
// Held by heartbeat.lua: the counter is the number that c1 sends.
func TestF4CounterRepeatsAfterAFailover(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.beat("c1", 1)
	forgotten := h.consumerHash("c1")
	h.beat("c1", 2)
	h.redis("HSET", "%consumers", "c1", forgotten)
	h.beat("c1", 3)
	h.expect(h.reclaim("c1", 2), "alive")
}

// c1 sends A. A failover loses the take: A is new again and c2 would send it
// while c1 does.
//
// Held by check_epoch in lib.lua: another server is a new epoch, and take.lua
// takes nothing until somebody has watched it closed for as long as a call lasts.
func TestF5FailoverLosesATake(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	h.register("c2")
	h.failover(func() { h.take("c1", 1, 1) })
	h.take("c2", 1, 1) // told of the new epoch
	h.expect(h.take("c2", 2, 1), "closed epoch 2 closed slot 0 granted wait=1.2s pace=1s")
	h.open()
	h.expect(h.take("c2", 3, 1), "taken A#1")
}

// The same when the group vanishes: created again at 0, everything is new.
//
// Held by check_epoch and create_group in lib.lua.
func TestF5GroupVanishes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.redis("XGROUP", "DESTROY", "%stream", groupName)
	h.register("c2")
	h.expect(h.take("c2", 1, 1), "closed epoch 2 closed slot 0 granted wait=1.2s pace=1s")
	h.open()
	h.expect(h.take("c2", 2, 1), "taken A#2")
}

// c1 has a 2xx for A in its buffer and freezes. c2 reclaims, sends, and is
// answered 4xx: dead. c1 wakes and settles as delivered: the entry is gone, and
// the record would go on saying dead.
//
// Held by settle.lua: delivered acts by order id, over dead and cancelled.
func TestF6LateDeliveryCorrectsDead(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.register("c2")
	h.reclaim("c1", 0)
	h.expect(h.take("c2", 1, 1), "taken A#2")
	h.expect(h.settle("c2", 1, "A", streamutil.OutcomeRejected, 0), "ok dead")
	h.expect(h.delivered("c1", 1, "A"), "ok delivered")
	h.expect(h.lookup("A"), "A delivered position=0 attempts=2 last=delivered/200/thanks")
	if s := h.snapshot(); s.Dead != 0 || s.Totals.Dead != 0 || s.Totals.Delivered != 1 {
		t.Errorf("dead letters %d, totals %+v", s.Dead, s.Totals)
	}
}

// c1 is granted a slot and starts. Redis's clock jumps ahead; c2 asks: the slot
// would be long over.
//
// Held by take.lua: a slot is granted to who names the one before it; no clock
// plays a part.
func TestF7ClockJumpsAhead(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	h.register("c2")
	seen := h.slot
	h.expect(h.take("c1", 1, 1), "taken A#1")
	h.redis("HSET", "%pace", "clock_offset", milliseconds(time.Hour))
	h.expect(h.takeAt(seen, "c2", 1, 1), "told epoch 1 open slot 1 granted wait=1.2s pace=1s")
}

// c1 is granted slot 1 and says so when it has started. A failover loses the
// grant, slot 1 is granted again, and only then the old started arrives: the
// next slot would follow too early.
//
// Held by started.lua: it names the epoch.
func TestF8StartedOfALostGrant(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	var lost streamutil.Slot
	h.failover(func() {
		h.take("c1", 1, 1)
		lost = h.slot
	})
	h.beat("c1", 1)
	h.open()
	h.expect(h.take("c1", 2, 1), "taken A#1")
	if h.slot.Number != lost.Number {
		t.Fatalf("slot %d was granted, not %d again: nothing is tested", h.slot.Number, lost.Number)
	}
	h.expect(h.startedAt(lost), "epoch 2 open slot 1 granted wait=1.2s pace=1s")
}

// A batch of two: the first call starts late, so does the second. Nobody else
// may start before both slots and the grace are over.
//
// Held by take.lua: the wait that goes with a grant covers the whole batch.
func TestF9BatchGrant(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 40*time.Millisecond)
	h.submit("A")
	h.submit("B")
	h.expect(h.take("c1", 1, 2), "taken A#1 B#1")
	if want := 2*40*time.Millisecond + streamutil.Grace; h.slot.Wait != want {
		t.Errorf("the others wait %v, want %v", h.slot.Wait, want)
	}
}

// A is parked for an hour by c1. c1 ends and is reclaimed: A would be due at
// once, since it is still pending.
//
// Held by park in lib.lua: what is parked is nobody's.
func TestF13ReclaimCutsAWaitShort(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
	h.expect(h.reclaim("c1", 0), "due 0 dead 0")
	if due := h.facts()["due A"]; due != "1h0m0s" {
		t.Errorf("A is due %s", due)
	}
}

// Without the group XACK says 0 and XPENDING is an error: a 2xx could not be
// recorded just then and the order would be sent again.
//
// Held by check_epoch in lib.lua, first in every script.
func TestF14DeliveryWithoutAGroup(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.redis("XGROUP", "DESTROY", "%stream", groupName)
	h.expect(h.delivered("c1", 1, "A"), "ok delivered")
	h.open()
	h.take("c1", 2, 0)
	h.open()
	h.expect(h.take("c1", 3, 2), "taken B#1")
}

// Redis's clock is set back an hour: holds and waits would last an hour longer.
//
// Held by peek_time in lib.lua.
func TestF14ClockGoesBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	// The last script ran when the clock was an hour ahead of what it is now.
	h.redis("HSET", "%pace", "clock_last", h.inQueueTime(time.Hour))
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0)
	h.expect(h.take("c1", 2, 1), "taken A#2")
}

// An order that kills its consumer is due first, for ever.
//
// Held by reclaim.lua: the third death makes it dead.
func TestF14PoisonOrder(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.submit("A")
	for i, want := range []string{"due 1 dead 0", "due 1 dead 0", "due 0 dead 1"} {
		name := []string{"c1", "c2", "c3"}[i]
		h.register(name)
		h.take(name, 1, 1)
		h.expect(h.reclaim(name, 0), want)
	}
	h.expect(h.lookup("A"), "A dead position=0 attempts=3 last=uncertain/0/")
}

// c1 leaves; a take that it sent before is executed behind it.
//
// Held by leave.lua: the name goes, and take.lua: an unknown name is gone.
func TestF14LateTakeBehindALeave(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ready(h)
	h.expect(h.leave("c1"), "left 0")
	h.expect(h.take("c1", 1, 1), "ErrGone")
	if _, pending := h.facts()["pending A"]; pending {
		t.Error("A is stranded")
	}
}

// A failover issues an entry ID again, for another order. What is said of the
// first must not touch the second.
//
// Held by settle.lua: the entry's order id must match, for delivered too.
func TestF14EntryIDIssuedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	id := h.entries["A"].String()
	h.redis("DEL", "%stream")
	h.redis("XADD", "%stream", id, "id", "Z", "body", "{}")
	h.beat("c1", 1)
	h.open()
	h.expect(h.take("c1", 2, 1), "taken Z#1")
	h.expect(h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0), "stray in_flight")
	h.expect(h.delivered("c1", 1, "A"), "ok delivered")
	if got := h.facts()["record Z state"]; got != "in_flight" {
		t.Errorf("Z is %q", got)
	}
}

// A failover and back without a restart of the process: the run_id is the same,
// the history is not.
//
// Held by server_identity in lib.lua: the replication id is part of it.
func TestF14SameProcessOtherHistory(t *testing.T) {
	t.Parallel()
	h := harnessOn(t, redistest.Start(t), streamutil.ClientConfig{}, streamutil.QueueConfig{})
	h.register("c1")
	h.redis("DEBUG", "CHANGE-REPL-ID")
	h.beat("c1", 1)
	h.expect(h.take("c1", 1, 1), "closed epoch 2 closed slot 0 granted wait=1.2s pace=1s")
}

// consumerHash is what Redis knows of a consumer.
func (h *harness) consumerHash(name string) string {
	h.t.Helper()
	return h.redis("HGET", "%consumers", name)
}

// failover does something and then sets every key back to what it was before,
// under another server's name: the new master had not heard of it.
func (h *harness) failover(forgotten func()) {
	h.t.Helper()
	before := map[string]string{}
	for _, key := range h.allKeys() {
		before[key] = h.redis("DUMP", key)
	}
	forgotten()
	for _, key := range h.allKeys() {
		h.redis("DEL", key)
	}
	for key, dump := range before {
		h.redis("RESTORE", key, "0", dump, "REPLACE")
	}
	h.redis("HSET", "%pace", "server", "another")
}

func (h *harness) allKeys() []string {
	h.t.Helper()
	return must(h, h.raw.Do(h.t.Context(), h.raw.B().Keys().Pattern(h.key("*")).Build()).AsStrSlice)
}
