package streamutil

import (
	"context"
	"fmt"
	"regexp"

	"github.com/redis/rueidis"
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

// WrongTypes names the queue's keys, but for orders' records, that hold something of
// another type than theirs: somebody wrote over them. It names none if Redis does not
// tell.
func (q *Queue) WrongTypes(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil
	}
	names := q.keys.script()
	asks := make(rueidis.Commands, 0, len(names))
	for _, name := range names {
		asks = append(asks, rdb.B().Type().Key(name).Build())
	}
	var wrong []string
	for i, r := range rdb.DoMulti(ctx, asks...) {
		is, err := r.ToString()
		if err == nil && is != "none" && is != keyTypes[i] {
			wrong = append(wrong, names[i])
		}
	}
	return wrong
}

// keyTypes are the types of the keys that script lists.
var keyTypes = []string{"stream", "zset", "stream", "hash", "hash", "hash", "hash", "stream"}

func checkQueueName(name string) error {
	if !queueName.MatchString(name) {
		return fmt.Errorf("queue name %q: want 1 to 64 of a-z, 0-9, _ and -", name)
	}
	return nil
}
