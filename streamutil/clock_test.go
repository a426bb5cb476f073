package streamutil_test

import (
	"testing"
	"time"

	"orderq/streamutil"
)

// Queue time is Redis's clock, and never runs back. The tests plant what the
// last script saw of the clock; to the next one the clock has jumped.
func TestQueueTime(t *testing.T) {
	for _, c := range []struct {
		name   string
		jump   time.Duration // of Redis's clock, since the order was parked
		passes time.Duration // really, after the jump
		wait   time.Duration // that the order was parked for
		due    string
	}{
		{"no jump", 0, 0, time.Minute, "1m0s"},
		{"back an hour: no longer", -time.Hour, 0, time.Minute, "1m0s"},
		{"back an hour, and a minute passes", -time.Hour, time.Minute, time.Minute, "now"},
		{"ahead an hour: never late", time.Hour, 0, time.Minute, "now"},
		{"ahead less than the wait", 30 * time.Second, 0, time.Minute, "30s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, c.wait)
			h.clockJumps(c.jump)
			h.beat("c1", 1) // a script that looks at the clock
			h.clockJumps(c.passes)
			h.beat("c1", 2)
			if due := h.facts()["due A"]; due != c.due {
				t.Errorf("A is due %s, want %s", due, c.due)
			}
			rec, err := h.q.Lookup(t.Context(), "A")
			if err != nil {
				t.Fatal(err)
			}
			if left := max(time.Until(rec.Due), 0); c.due == "now" && left > 0 || c.due != "now" && roughly(left) != c.due {
				t.Errorf("people are told %v", left)
			}
		})
	}
}

// Two jumps back add up; one ahead takes nothing away from the first.
func TestQueueTimeAfterManyJumps(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.settle("c1", 1, "A", streamutil.OutcomeFailed, 3*time.Hour)
	for i, jump := range []time.Duration{-time.Hour, -time.Hour, time.Hour, -time.Minute} {
		h.clockJumps(jump)
		h.beat("c1", int64(i+1))
	}
	if due := h.facts()["due A"]; due != "2h0m0s" {
		t.Errorf("A is due %s", due)
	}
}

// clockJumps makes it look to the next script as if Redis's clock had jumped:
// everything that was written down is as much older or younger.
func (h *harness) clockJumps(d time.Duration) {
	h.t.Helper()
	h.redis("EVAL", `
		redis.call('HINCRBY', KEYS[2], 'clock_last', ARGV[1])
		for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
			redis.call('ZINCRBY', KEYS[1], ARGV[1], id)
		end`, "2", "%due", "%pace", milliseconds(-d))
}
