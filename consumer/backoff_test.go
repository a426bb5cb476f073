package consumer

import (
	"testing"
	"time"
)

func TestRedisBackoff(t *testing.T) {
	b := redisBackoff()
	for i, most := range []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 2 * time.Second, 2 * time.Second} {
		if d := b.next(); d < 100*ms || d > most {
			t.Errorf("wait %d is %v, want 100ms to %v", i+1, d, most)
		}
	}
	b.n = 1 << 40 // no overflow, however long the trouble
	if d := b.next(); d < 100*ms || d > 2*time.Second {
		t.Errorf("after very many, the wait is %v", d)
	}
	b.reset()
	if d := b.next(); d != 100*ms {
		t.Errorf("after a success the first wait is %v, want 100ms", d)
	}
}

// TestRetryDelay: full jitter, from nothing to a bound that doubles.
func TestRetryDelay(t *testing.T) {
	for _, tc := range []struct {
		attempt int
		most    time.Duration
	}{
		{0, time.Second},
		{1, time.Second},
		{2, 2 * time.Second},
		{5, 16 * time.Second},
		{9, 256 * time.Second},
		{10, 5 * time.Minute},
		{1000, 5 * time.Minute},
	} {
		var longest time.Duration
		shortest := time.Hour
		for range 500 {
			d := retryDelay(tc.attempt)
			longest, shortest = max(longest, d), min(shortest, d)
		}
		if longest > tc.most || shortest < 0 {
			t.Errorf("attempt %d: %v to %v, want 0 to %v", tc.attempt, shortest, longest, tc.most)
		}
		if longest < tc.most*9/10 || shortest > tc.most/10 {
			t.Errorf("attempt %d: %v to %v does not spread over 0 to %v", tc.attempt, shortest, longest, tc.most)
		}
	}
}
