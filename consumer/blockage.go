package consumer

import (
	"sync"

	"orderq/metrics"
)

// Who can know that nothing may be sent.
const (
	bySlot  = "slot"  // the queue's own state, as any loop reads it
	byTake  = "take"  // what the last take was told
	byRedis = "redis" // Redis gives trouble
)

// blockage shows why nothing is sent, as several loops know it.
type blockage struct {
	metrics *metrics.Consumer

	mu sync.Mutex
	by map[string]string
}

// set takes note of the reason that one of them knows; empty for none.
func (b *blockage) set(who, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.by[who]
	if before == reason {
		return
	}
	b.by[who] = reason
	if before != "" && !b.known(before) {
		b.metrics.Blocked(before, false)
	}
	if reason != "" {
		b.metrics.Blocked(reason, true)
	}
}

func (b *blockage) known(reason string) bool {
	for _, r := range b.by {
		if r == reason {
			return true
		}
	}
	return false
}
