package streamutil

import (
	"fmt"
	"regexp"
)

// DefaultQueue is the name of a queue that was given none.
const DefaultQueue = "orders"

// The consumer group, and the pseudo-consumer that holds parked entries.
const (
	group       = "dispatchers"
	parkingName = "parked"
)

var queueName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// keys names everything a queue has in Redis. All carry one hash tag, so that
// a queue lives in one slot of a cluster and every script is atomic.
type keys struct {
	stream, due, dead, control, pace, stats, consumers, log string

	order string // a prefix: one record per order id
}

func newKeys(queue string) keys {
	prefix := "orderq:{" + queue + "}:"
	return keys{
		stream: prefix + "stream", due: prefix + "due", dead: prefix + "dead",
		control: prefix + "control", pace: prefix + "pace", stats: prefix + "stats",
		consumers: prefix + "consumers", log: prefix + "log", order: prefix + "order:",
	}
}

// script lists the keys in the order in which scripts/lib.lua names them.
func (k keys) script() []string {
	return []string{k.stream, k.due, k.dead, k.control, k.pace, k.stats, k.consumers, k.log}
}

func checkQueueName(name string) error {
	if !queueName.MatchString(name) {
		return fmt.Errorf("queue name %q: want 1 to 64 of a-z, 0-9, _ and -", name)
	}
	return nil
}
