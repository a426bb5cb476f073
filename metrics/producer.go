package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SourceHTTP is the source of orders that come one by one in POST /v1/orders.
const SourceHTTP = "http"

// Why an order was not accepted, as [Producer.Rejected] takes it.
const (
	RejectedMalformed    = "malformed"         // not the JSON it must be
	RejectedValidation   = "validation"        // JSON, but a field is wrong
	RejectedTooLarge     = "too_large"         // more than the bound
	RejectedMediaType    = "media_type"        // not application/json
	RejectedAborted      = "aborted"           // the body broke off or came too slowly
	RejectedConflict     = "conflict"          // the id is taken by another order
	RejectedFull         = "full"              // the queue has its most orders
	RejectedMemory       = "memory"            // Redis has no memory left
	RejectedRedis        = "redis_unavailable" // Redis did not answer
	RejectedNotConfirmed = "not_confirmed"     // written, but not as durably as configured
	RejectedOverloaded   = "overloaded"        // too many requests at once
	RejectedInternal     = "internal"          // our fault
)

var enqueueBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}

// Producer holds the instruments of one producer process. Its methods may be
// called from several goroutines at once.
type Producer struct {
	offered    counters
	rejected   counters
	duplicates prometheus.Counter
	took       prometheus.Histogram
}

// NewProducer makes the instruments of a producer for the named queue and
// registers them with reg, if that is not nil.
func NewProducer(reg prometheus.Registerer, queue string) *Producer {
	labels := onQueue(queue)
	vec := func(name, help, label string) *prometheus.CounterVec {
		return register(reg, prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, []string{label}))
	}
	return &Producer{
		offered: newCounters(vec("orderq_enqueue_orders_total",
			"Orders offered, before any check.", "source"), SourceHTTP),
		rejected: newCounters(vec("orderq_enqueue_rejected_total",
			"Orders not accepted, by reason.", "reason"),
			RejectedMalformed, RejectedValidation, RejectedTooLarge, RejectedMediaType, RejectedAborted,
			RejectedConflict, RejectedFull, RejectedMemory, RejectedRedis, RejectedNotConfirmed,
			RejectedOverloaded, RejectedInternal),
		duplicates: register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orderq_enqueue_duplicates_total", ConstLabels: labels,
			Help: "Orders offered again and recognised; answered with the first result.",
		})),
		took: register(reg, prometheus.NewHistogram(histogram("orderq_enqueue_duration_seconds",
			"Time from a checked order to Redis's answer, whatever it was.", labels, enqueueBuckets))),
	}
}

// Offered counts an order that came in, good or bad.
func (p *Producer) Offered(source string) { p.offered.add(source, 1) }

// Rejected counts an order that was not accepted.
func (p *Producer) Rejected(reason string) { p.rejected.add(reason, 1) }

// Duplicate counts an order that was accepted before.
func (p *Producer) Duplicate() { p.duplicates.Inc() }

// EnqueueTook records how long Redis took to answer one order.
func (p *Producer) EnqueueTook(d time.Duration) { p.took.Observe(d.Seconds()) }
