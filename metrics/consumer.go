package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderq/streamutil"
)

// Reasons for which a consumer sends nothing although work waits, as
// [Consumer.Blocked] takes them.
const (
	BlockedPaused      = "paused"      // an operator said so
	BlockedCredentials = "credentials" // the partner refused our token
	BlockedHold        = "hold"        // the partner asked for a wait
	BlockedBreaker     = "breaker"     // nobody gets through to the partner
	BlockedRedis       = "redis"       // Redis cannot be used
	BlockedReplicas    = "replicas"    // too few replicas confirm our writes
	BlockedEpoch       = "epoch"       // Redis may have forgotten something; waiting it out

	// BlockedParked: all that is left waits for its next attempt.
	BlockedParked = "parked"
	// BlockedMaxInFlight: as many calls run as may at once.
	BlockedMaxInFlight = "max_in_flight"
)

// What became of a slot, as [Consumer.Slot] takes it.
const (
	SlotUsed = "used" // a call was started in it
	SlotLost = "lost" // it was granted, and no call could be started in time
)

var (
	attemptBuckets = []float64{.05, .1, .25, .5, 1, 2, 5, 10, 20, 30}
	waitBuckets    = []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400}
)

// Consumer holds the instruments of one consumer process. Its methods may be
// called from several goroutines at once.
type Consumer struct {
	attempts  counters
	finished  counters
	slots     counters
	reasons   []string
	blocked   *prometheus.GaugeVec
	took      prometheus.Histogram
	waited    prometheus.Histogram
	endToEnd  prometheus.Histogram
	interval  *prometheus.GaugeVec
	reclaimed prometheus.Counter
}

// NewConsumer makes the instruments of a consumer of the named queue and
// registers them with reg, if that is not nil.
func NewConsumer(reg prometheus.Registerer, queue string) *Consumer {
	labels := onQueue(queue)
	vec := func(name, help, label string) *prometheus.CounterVec {
		return register(reg, prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, []string{label}))
	}
	c := &Consumer{
		attempts: newCounters(vec("orderq_attempts_total",
			"Attempts that ended, by what they meant. failed, unavailable, throttled and uncertain are tried again; many of them: the partner is in trouble.", "outcome"), streamutil.Outcomes()...),
		finished: newFinished(reg, queue),
		slots: newCounters(vec("orderq_slots_total",
			"Permissions to start a call, by what became of them. Lost ones are pace that was not used: this machine or the way to Redis is too slow.", "result"), SlotUsed, SlotLost),
		took: register(reg, prometheus.NewHistogram(histogram("orderq_attempt_duration_seconds",
			"Time from the start of a call to its end, answered or not. Near api.timeout: the partner is too slow, and calls end uncertain.", labels, attemptBuckets))),
		waited: register(reg, prometheus.NewHistogram(histogram("orderq_order_wait_seconds",
			"Time from an order's acceptance to the start of its first attempt. Rises with the backlog.", labels, waitBuckets))),
		endToEnd: register(reg, prometheus.NewHistogram(histogram("orderq_order_end_to_end_seconds",
			"Time from an order's acceptance until it was delivered or dead: what a customer waits.", labels, waitBuckets))),
		// A vector without labels: it has no series until the pace is known,
		// for 0 would say "unlimited".
		interval: register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "orderq_pace_interval_seconds", Unit: "seconds", ConstLabels: labels,
			Help: "Least time between the starts of two calls, over all processes, as now in force; 0 if unlimited.",
		}, nil)),
		reasons: []string{
			BlockedPaused, BlockedCredentials, BlockedHold, BlockedBreaker, BlockedRedis, BlockedReplicas,
			BlockedEpoch, BlockedParked, BlockedMaxInFlight,
		},
		blocked: register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "orderq_blocked", ConstLabels: labels,
			Help: "1 while this process sends nothing for that reason; orderq_stream_blocked speaks for the queue.",
		}, []string{"reason"})),
		reclaimed: register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orderq_reclaimed_total", ConstLabels: labels,
			Help: "Orders made due again because their consumer died. Each counts a call that may have been made; a few after a crash are normal.",
		})),
	}
	for _, reason := range c.reasons {
		c.blocked.WithLabelValues(reason)
	}
	return c
}

// newFinished counts orders by the final state that a process brought them to: a
// consumer, or a producer that was asked to cancel.
func newFinished(reg prometheus.Registerer, queue string) counters {
	return newCounters(register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "orderq_orders_finished_total", ConstLabels: onQueue(queue),
		Help: "Orders that this process brought to a final state. Each dead one waits for a person; operators' commands are not counted.",
	}, []string{"state"})), streamutil.Delivered, streamutil.Dead, streamutil.Cancelled)
}

// Attempt counts an attempt that ended, and how long its call took. The order's
// traceparent, if it has one, becomes an exemplar.
func (c *Consumer) Attempt(outcome streamutil.Outcome, took time.Duration, traceParent string) {
	c.attempts.add(string(outcome), 1)
	observe(c.took, took, traceParent)
}

// Finished counts an order that reached a final state.
func (c *Consumer) Finished(state streamutil.State) { c.finished.add(string(state), 1) }

// Waited records the time from an order's acceptance to its first attempt. The
// two are read from different clocks; less than nothing counts as nothing.
func (c *Consumer) Waited(d time.Duration) { c.waited.Observe(max(d, 0).Seconds()) }

// EndToEnd records the time from an order's acceptance to its end, as Waited does.
func (c *Consumer) EndToEnd(d time.Duration) { c.endToEnd.Observe(max(d, 0).Seconds()) }

// PaceInterval says which least time between two starts is now in force; zero
// is unlimited.
func (c *Consumer) PaceInterval(d time.Duration) { c.interval.WithLabelValues().Set(d.Seconds()) }

// Reclaimed counts n orders taken back from a consumer that died.
func (c *Consumer) Reclaimed(n int) { c.reclaimed.Add(float64(n)) }

// Blocked says whether this process now sends nothing for the given reason. It
// may be repeated. Reasons that are not among the constants count as "other".
func (c *Consumer) Blocked(reason string, on bool) {
	if !slices.Contains(c.reasons, reason) {
		reason = other
	}
	value := 0.0
	if on {
		value = 1
	}
	c.blocked.WithLabelValues(reason).Set(value)
}

// Slot counts a slot that was granted to this process.
func (c *Consumer) Slot(result string) { c.slots.add(result, 1) }
