package consumer

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// The loops of a session.
const (
	loopDispatcher = "dispatcher"
	loopHeartbeat  = "heartbeat"
	loopRecovery   = "recovery"
)

// turnEvery is how often a loop that waits for something comes round all the same.
const turnEvery = time.Second

// turns is when each loop last came round, for a watchdog.
type turns struct {
	clock clock

	mu   sync.Mutex
	last map[string]time.Duration
}

func newTurns(c clock) *turns { return &turns{clock: c, last: map[string]time.Duration{}} }

func (t *turns) turned(loop string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[loop] = t.clock.now()
}

// ended says that the loop is over and need not come round any more.
func (t *turns) ended(loop string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.last, loop)
}

// stuck names a loop that has not come round for so long; empty if there is none.
func (t *turns) stuck(after time.Duration) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.now()
	for _, loop := range slices.Sorted(maps.Keys(t.last)) {
		if now-t.last[loop] > after {
			return loop
		}
	}
	return ""
}

// Stuck names a loop of the running consumer that has not come round for the given
// time, as only a fault in this program, or a machine that stands still, can cause;
// empty if all turn. For a watchdog: whoever waits, for the pace, for orders, for an
// operator or for Redis, is not stuck, and neither is one who waits for the partner
// for less than CallTimeout.
func (c *Consumer) Stuck(after time.Duration) string {
	if c.trouble.retrying(after) {
		return ""
	}
	return c.turns.stuck(max(after, c.cfg.CallTimeout+turnEvery))
}
