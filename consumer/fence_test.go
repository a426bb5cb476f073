package consumer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"orderq/streamutil"
)

// cause is why calls under a fence were cut; nil while they may run.
func cause(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

func TestFenceCutsAtTwoThirds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleClock()
		f := newFence(t.Context(), c, 3*time.Second, 0)
		defer f.stop()
		calls := f.context()

		pass(t, c, 1999*ms)
		if !f.holds() || cause(calls) != nil {
			t.Fatalf("just before two thirds: holds %t, calls cut by %v", f.holds(), cause(calls))
		}
		pass(t, c, ms)
		if err := cause(calls); !errors.Is(err, errFenced) {
			t.Errorf("at two thirds the calls are cut by %v, want %v", err, errFenced)
		}
		if f.holds() {
			t.Error("at two thirds a call may start")
		}
	})
}

func TestFenceConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleClock()
		f := newFence(t.Context(), c, 3*time.Second, 0)
		defer f.stop()
		calls := f.context()

		pass(t, c, 1500*ms)
		f.confirm(1 * time.Second) // the answer took half a second: it counts from the sending
		f.confirm(500 * ms)        // one from before it, late, sets nothing back
		pass(t, c, 1499*ms)
		if cause(calls) != nil {
			t.Fatalf("cut by %v at %v, with a beat sent at 1s", cause(calls), c.now())
		}
		pass(t, c, ms)
		if !errors.Is(cause(calls), errFenced) {
			t.Errorf("not cut at %v, with the last beat sent at 1s", c.now())
		}

		f.confirm(c.now())
		if !f.holds() || cause(f.context()) != nil {
			t.Error("a fresh beat does not let calls start again")
		}
		if cause(calls) == nil {
			t.Error("a fresh beat brought back calls that were cut")
		}
	})
}

// TestFenceLateAnswer: a process that was frozen finds an answer waiting; the
// calls of before are cut all the same, since its timer may not have fired yet.
func TestFenceLateAnswer(t *testing.T) {
	var hand handClock
	f := newFence(t.Context(), hand.clock(), 3*time.Second, 0)
	defer f.stop()
	calls := f.context()
	hand.at = 2 * time.Second
	f.confirm(1900 * ms)
	if !errors.Is(cause(calls), errFenced) {
		t.Errorf("the answer was looked at first: calls cut by %v", cause(calls))
	}
	if !f.holds() {
		t.Error("calls may not start again, though the beat was sent 100ms ago")
	}
}

func TestFenceTripped(t *testing.T) {
	var hand handClock
	f := newFence(t.Context(), hand.clock(), 3*time.Second, 0)
	defer f.stop()
	calls := f.context()
	f.trip(streamutil.ErrGone)
	if f.holds() || !errors.Is(cause(calls), streamutil.ErrGone) {
		t.Errorf("after a trip: holds %t, calls cut by %v", f.holds(), cause(calls))
	}
}

// pass lets fake time pass.
func pass(t *testing.T, c clock, d time.Duration) {
	t.Helper()
	if err := c.sleep(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}
