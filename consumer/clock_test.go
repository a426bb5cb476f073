package consumer

import (
	"context"
	"testing"
	"time"
)

// TestSleepUntil: never too early, for the pace rests on it.
func TestSleepUntil(t *testing.T) {
	c := systemClock()
	var late time.Duration
	for _, d := range []time.Duration{-ms, 0, 100 * time.Microsecond, ms, 2 * ms, 7 * ms, 30 * ms} {
		at := c.now() + d
		if err := c.sleepUntil(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if over := c.now() - at; over < 0 {
			t.Errorf("awake %v too early after %v", -over, d)
		} else {
			late = max(late, over-max(-d, 0))
		}
	}
	t.Logf("at most %v late", late)
}

func TestSleepEnds(t *testing.T) {
	c := systemClock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.sleepUntil(ctx, c.now()+time.Hour); err == nil {
		t.Error("slept on, though its context has ended")
	}
	if err := c.sleep(ctx, 0); err == nil {
		t.Error("no error for a context that has ended")
	}
}
