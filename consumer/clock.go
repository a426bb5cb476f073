package consumer

import (
	"context"
	"runtime"
	"time"
)

// spin is how long before a moment that must be met exactly we stop sleeping
// and watch the clock: timers wake up to a millisecond late.
const spin = 1500 * time.Microsecond

// clock measures durations since some fixed moment of its own. A test in a
// bubble of fake time replaces it.
type clock struct {
	now  func() time.Duration
	spin time.Duration
}

// sleepUntil returns at the given moment, hardly later, or when ctx ends.
func (c clock) sleepUntil(ctx context.Context, at time.Duration) error {
	if err := c.sleep(ctx, at-c.now()-c.spin); err != nil {
		return err
	}
	for c.now() < at {
		if c.spin == 0 {
			return c.sleep(ctx, at-c.now())
		}
		runtime.Gosched()
	}
	return nil
}

// sleep returns after d, or when ctx ends.
func (c clock) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
