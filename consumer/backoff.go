package consumer

import (
	"math/rand/v2"
	"time"
)

const (
	// An order that failed waits 1 s, doubling to 5 min.
	orderBackoffFirst = time.Second
	orderBackoffMax   = 5 * time.Minute
	// A call to Redis that failed is repeated after 100 ms, doubling to 2 s.
	redisBackoffFirst = 100 * time.Millisecond
	redisBackoffMax   = 2 * time.Second
)

// backoff gives ever longer waits with jitter. The zero value of n is the first.
type backoff struct {
	first, max time.Duration
	n          int
}

func redisBackoff() *backoff { return &backoff{first: redisBackoffFirst, max: redisBackoffMax} }

// next is at least the first wait, so that no loop runs hot, and at random up
// to twice the last one.
func (b *backoff) next() time.Duration {
	ceiling := b.ceiling()
	b.n++
	return b.first + rand.N(max(ceiling-b.first, 0)+1)
}

func (b *backoff) reset() { b.n = 0 }

func (b *backoff) ceiling() time.Duration {
	if b.n >= 30 {
		return b.max
	}
	return min(b.first<<b.n, b.max)
}

// retryDelay is how long an order waits after its nth attempt failed: full
// jitter, so that orders which failed together do not come back together
// (Brooker, "Exponential Backoff And Jitter", 2015).
func retryDelay(attempt int) time.Duration {
	b := backoff{first: orderBackoffFirst, max: orderBackoffMax, n: max(attempt-1, 0)}
	return rand.N(b.ceiling() + 1)
}
