package streamutil

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// How many orders in flight are looked at for the one that is held for longest.
const (
	mostHolders = 16
	mostHeld    = 32
)

// inspectFurther asks, in the second round trip, what to ask for the first had to
// tell: who the oldest waiting order is, and since when each consumer holds what it
// holds.
func (q *Queue) inspectFurther(ctx context.Context, rdb rueidis.Client, s *Snapshot, f *facts) error {
	asks := []rueidis.Completed{
		rdb.B().Xrange().Key(q.keys.stream).Start("(" + f.lastDelivered).End("+").Count(1).Build(),
	}
	for name := range f.holders {
		if name != parkingName && len(asks) <= mostHolders {
			asks = append(asks, rdb.B().Xpending().Key(q.keys.stream).Group(group).
				Start("-").End("+").Count(mostHeld).Consumer(name).Build())
		}
	}
	if f.server.goodReplicas >= 0 { // CONFIG is not for every user: asked only where there is something to know
		asks = append(asks, askMinReplicas(rdb))
	}
	got := rdb.DoMulti(ctx, asks...)
	first, err := got[0].AsXRange()
	if err != nil {
		return err
	}
	if s.Waiting > 0 {
		s.OldestWaiting = ageOf(first, s.Time)
	}
	held := got[1:]
	if f.server.goodReplicas >= 0 {
		last := len(held) - 1
		f.server.minReplicas, held = minReplicas(held[last]), held[:last]
	}
	for _, held := range held {
		idle, err := longestIdle(held)
		if err != nil {
			return err
		}
		s.OldestInFlight = max(s.OldestInFlight, idle)
	}
	return nil
}

// longestIdle reads the long form of XPENDING. The group may be gone by now.
func longestIdle(r rueidis.RedisResult) (longest time.Duration, err error) {
	entries, err := r.ToArray()
	if noGroup(err) {
		return 0, nil
	}
	for _, e := range entries {
		fields, err := e.ToArray() // entry, consumer, idle in ms, deliveries
		if err != nil {
			return 0, err
		}
		idle, err := fields[2].AsInt64()
		if err != nil {
			return 0, err
		}
		longest = max(longest, time.Duration(idle)*time.Millisecond)
	}
	return longest, err
}
