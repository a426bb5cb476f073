package streamutil_test

import (
	"strings"
	"testing"
)

// What a hand wrote into the queue's hashes stops nobody: nonsense counts as
// nothing, and is written over.
func TestNonsenseByHand(t *testing.T) {
	for _, c := range []struct{ key, fields string }{
		{"control", "pace pace_override pace_until"},
		{"control", "pause_until hold_until"},
		{"control", "breaker breaker_until probe overtaker failures throttles suspect suspicion"},
		{"pace", "slot state last_start clock_last clock_offset holder"},
		{"stats", "accepted delivered dead cancelled taken seq vanished"},
		{"consumers", "somebody"},
		{"order:A", "attempts strikes deaths seen not_before sent seq"},
		{"order:B", "entry"},
	} {
		t.Run(c.key+" "+c.fields, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.outage("A")
			h.submit("B")
			for field := range strings.FieldsSeq(c.fields) {
				h.redis("HSET", "%"+c.key, field, "nonsense")
			}
			h.everyVerb()
			if c.key == "order:B" {
				return // its entry belongs to nobody now: a dead letter
			}
			if s := h.snapshot(); s.Length != 0 || s.Waiting != 0 {
				t.Errorf("%d left in the queue, %d waiting", s.Length, s.Waiting)
			}
		})
	}
}

// everyVerb uses all that can be done to a queue, and delivers what is in it.
func (h *harness) everyVerb() {
	h.t.Helper()
	h.submit("C")
	h.submit("A")
	h.submit("B")
	h.lookup("A")
	h.lookup("B")
	h.beat("c1", 1)
	h.register("c2")
	h.pause(0)
	h.resume()
	h.setPace(0, 0)
	h.resetPace()
	h.retry("A")
	h.sweep()
	h.beat("c1", 2)
	for range 6 {
		h.beat("c1", 3)
		h.attempt("failed")
		h.resume()
		h.attempt("delivered")
	}
	h.cancel("C")
	h.requeue("A")
	h.drop("A", true)
	h.leave("c2")
	h.reclaim("c1", 3)
}
