package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderq/streamutil"
)

// Where orders come from.
const (
	SourceHTTP  = "http"  // by themselves, in POST /v1/orders
	SourceBatch = "batch" // in POST /v1/orders:batch
)

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
	RejectedRateLimited  = "rate_limited"      // more of them than this client may send
	RejectedDraining     = "draining"          // the process is going down
	RejectedUnauthorized = "unauthorized"      // no token, or an unknown one
	RejectedForbidden    = "forbidden"         // a token without the scope
	RejectedInternal     = "internal"          // our fault
)

var enqueueBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5}

// Producer holds the instruments of one producer process. Its methods may be
// called from several goroutines at once.
type Producer struct {
	*HTTP
	offered    counters
	rejected   counters
	duplicates prometheus.Counter
	finished   counters
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
		HTTP: newHTTP(reg, labels),
		offered: newCounters(vec("orderq_enqueue_orders_total",
			"Orders offered, before any check. Its rate is what the shop wants of us; none in shop hours means that no order reaches us.", "source"), SourceHTTP, SourceBatch),
		rejected: newCounters(vec("orderq_enqueue_rejected_total",
			"Orders not accepted, by reason. validation and the like are the client's mistakes; redis_unavailable, not_confirmed, full, memory, overloaded and internal are ours.", "reason"),
			RejectedMalformed, RejectedValidation, RejectedTooLarge, RejectedMediaType, RejectedAborted,
			RejectedConflict, RejectedFull, RejectedMemory, RejectedRedis, RejectedNotConfirmed,
			RejectedOverloaded, RejectedRateLimited, RejectedDraining, RejectedUnauthorized, RejectedForbidden,
			RejectedInternal),
		duplicates: register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "orderq_enqueue_duplicates_total", ConstLabels: labels,
			Help: "Orders offered again and recognised; answered with the first result. More of them: clients repeat, as after time-outs.",
		})),
		finished: newFinished(reg, queue),
		took: register(reg, prometheus.NewHistogram(histogram("orderq_enqueue_duration_seconds",
			"Time from a request's checked orders to Redis's answer, whatever it was. Rises with Redis's load, its disk (fsync) and its replicas.", labels, enqueueBuckets))),
	}
}

// Offered counts orders that came in, good or bad.
func (p *Producer) Offered(source string, n int) { p.offered.add(source, n) }

// Rejected counts an order that was not accepted.
func (p *Producer) Rejected(reason string) { p.rejected.add(reason, 1) }

// Duplicates counts orders that were accepted before.
func (p *Producer) Duplicates(n int) { p.duplicates.Add(float64(n)) }

// Cancelled counts an order that a client has cancelled.
func (p *Producer) Cancelled() { p.finished.add(string(streamutil.Cancelled), 1) }

// EnqueueTook records how long Redis took to answer one request's orders. Its
// traceparent, if it has one, becomes an exemplar.
func (p *Producer) EnqueueTook(d time.Duration, traceParent string) { observe(p.took, d, traceParent) }
