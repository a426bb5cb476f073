package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderq/streamutil"
)

// gauge is one series of a [Stream]: what it is called and where it comes from.
type gauge struct {
	name, help string
	value      func(streamutil.Snapshot) float64
}

type described struct {
	desc  *prometheus.Desc
	value func(streamutil.Snapshot) float64
}

var gauges = []gauge{
	{
		"orderq_stream_length", "Orders not yet in a final state: the backlog. Grows while more come in than the pace lets out.",
		func(s streamutil.Snapshot) float64 { return float64(s.Length) },
	},
	{
		"orderq_stream_lag", "Orders not yet taken by any consumer. Grows while more come in than are sent: see orderq_stream_blocked.",
		func(s streamutil.Snapshot) float64 { return float64(s.Waiting) },
	},
	{
		"orderq_stream_in_flight", "Orders that a consumer has taken. Never more than queue.max_in_flight.",
		func(s streamutil.Snapshot) float64 { return float64(s.InFlight) },
	},
	{
		"orderq_stream_parked", "Orders that wait for their next attempt. Many: the partner fails.",
		func(s streamutil.Snapshot) float64 { return float64(s.Parked) },
	},
	{
		"orderq_stream_dead", "Dead letters: orders set aside for a person.",
		func(s streamutil.Snapshot) float64 { return float64(s.Dead) },
	},
	{
		"orderq_stream_oldest_waiting_age_seconds", "Age of the oldest order not yet taken, 0 if there is none. Rises by a second a second: nothing is sent.",
		func(s streamutil.Snapshot) float64 { return s.OldestWaiting.Seconds() },
	},
	{
		"orderq_stream_oldest_age_seconds", "Age of the oldest order not yet in a final state, 0 if there is none. Far above that of the oldest waiting one: some order fails again and again.",
		func(s streamutil.Snapshot) float64 { return s.Oldest.Seconds() },
	},
	{
		"orderq_stream_oldest_in_flight_age_seconds",
		"Time since the order that is held for longest was taken, 0 if none is in flight. Beyond the lease: nobody takes it back.",
		func(s streamutil.Snapshot) float64 { return s.OldestInFlight.Seconds() },
	},
	{
		"orderq_stream_overdue_seconds", "By how much the time of the next parked order has passed, 0 if it has not. Grows while nothing is sent.",
		func(s streamutil.Snapshot) float64 { return s.Overdue.Seconds() },
	},
	{
		"orderq_stream_lease_seconds", "Longest lease of the registered consumers, 0 if there are none.",
		func(s streamutil.Snapshot) float64 { return longestLease(s).Seconds() },
	},
	{
		"orderq_consumers", "Consumers of the queue whose heartbeat is fresh, over all processes. Fewer than were started: one died or hangs; 0: nothing is sent.",
		func(s streamutil.Snapshot) float64 { return float64(s.Alive()) },
	},
	{
		"orderq_redis_memory_bytes", "Memory that Redis uses. Near orderq_redis_memory_max_bytes: new orders are soon refused.",
		func(s streamutil.Snapshot) float64 { return float64(s.Memory.Used) },
	},
	{
		"orderq_redis_memory_max_bytes", "Redis's maxmemory, 0 if it has no bound. When it is used up, new orders are refused.",
		func(s streamutil.Snapshot) float64 { return float64(s.Memory.Max) },
	},
}

func longestLease(s streamutil.Snapshot) (longest time.Duration) {
	for _, c := range s.Consumers {
		longest = max(longest, c.Lease)
	}
	return longest
}

// set is a gauge with a series, 0 or 1, for each of its reasons.
type set struct {
	name, help string
	reasons    []string
	now        func(streamutil.Snapshot) []string // those that are 1
}

type describedSet struct {
	set
	desc *prometheus.Desc
}

var sets = []set{
	{
		"orderq_stream_blocked", "1 for the one reason that nothing is sent, as orderq status gives it; all 0 while all is well.",
		streamutil.BlockedReasons(),
		func(s streamutil.Snapshot) []string { return []string{s.Blocked} },
	},
	{
		"orderq_redis_unsafe", "1 if Redis, as it stands, can for that reason lose accepted orders or refuse new ones; orderq doctor says how to mend it.",
		streamutil.Risks(),
		func(s streamutil.Snapshot) []string { return s.Risks },
	},
}
