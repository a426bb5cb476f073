package metrics

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"orderq/streamutil"
)

const (
	// scrapeTimeout bounds one read of Redis, well below the usual timeout of a
	// scrape, which a collector is not told of: while Redis hangs, the other
	// metrics must say so soon.
	scrapeTimeout = time.Second
	// scrapeCache is how long one read serves: several scrapers cost Redis no
	// more than one.
	scrapeCache = time.Second
)

// Inspector is the queue that a [Stream] reads: a [streamutil.Queue].
type Inspector interface {
	Name() string
	Inspect(ctx context.Context) (streamutil.Snapshot, error)
}

// gauge is one series of a Stream: what it is called and where it comes from.
type gauge struct {
	name, help string
	value      func(streamutil.Snapshot) float64
}

var gauges = []gauge{
	{
		"orderq_stream_length", "Orders not yet in a final state.",
		func(s streamutil.Snapshot) float64 { return float64(s.Length) },
	},
	{
		"orderq_stream_lag", "Orders not yet taken by any consumer.",
		func(s streamutil.Snapshot) float64 { return float64(s.Waiting) },
	},
	{
		"orderq_stream_in_flight", "Orders that a consumer has taken.",
		func(s streamutil.Snapshot) float64 { return float64(s.InFlight) },
	},
	{
		"orderq_stream_parked", "Orders that wait for their next attempt.",
		func(s streamutil.Snapshot) float64 { return float64(s.Parked) },
	},
	{
		"orderq_stream_dead", "Dead letters: orders set aside for a person.",
		func(s streamutil.Snapshot) float64 { return float64(s.Dead) },
	},
	{
		"orderq_stream_oldest_waiting_age_seconds", "Age of the oldest order not yet taken, 0 if there is none.",
		func(s streamutil.Snapshot) float64 { return s.OldestWaiting.Seconds() },
	},
	{
		"orderq_stream_oldest_age_seconds", "Age of the oldest order not yet in a final state, 0 if there is none.",
		func(s streamutil.Snapshot) float64 { return s.Oldest.Seconds() },
	},
	{
		"orderq_consumers", "Consumers of the queue whose heartbeat is fresh, over all processes.",
		func(s streamutil.Snapshot) float64 { return float64(s.Alive()) },
	},
}

// Stream is a collector that reads a queue from Redis when it is scraped. Its
// gauges are the same in every process that exports them.
//
// While Redis cannot be read, orderq_stream_scrape_success is 0 and the gauges
// are absent: a value that is no longer true must not stand.
type Stream struct {
	queue   Inspector
	redis   *Redis
	descs   []*prometheus.Desc // of gauges, in order
	success *prometheus.Desc
	took    *prometheus.Desc

	reads singleflight.Group // whoever comes during a read shares its result
	last  atomic.Pointer[reading]
}

// reading is what one look at Redis gave.
type reading struct {
	snapshot streamutil.Snapshot
	err      error
	took     time.Duration
	ended    time.Time
}

// NewStream makes the collector of a queue and registers it with reg, if that
// is not nil. It does not talk to Redis before the first scrape.
func NewStream(reg prometheus.Registerer, queue Inspector) *Stream {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, nil, onQueue(queue.Name()))
	}
	s := &Stream{
		queue: queue, redis: NewRedis(reg),
		success: desc("orderq_stream_scrape_success", "1 if Redis could be read for this scrape."),
		took:    desc("orderq_stream_scrape_duration_seconds", "How long it took to read Redis."),
	}
	for _, g := range gauges {
		s.descs = append(s.descs, desc(g.name, g.help))
	}
	return register(reg, s)
}

// Describe implements [prometheus.Collector].
func (s *Stream) Describe(ch chan<- *prometheus.Desc) {
	ch <- s.success
	ch <- s.took
	for _, d := range s.descs {
		ch <- d
	}
}

// Collect implements [prometheus.Collector]. It reads Redis, or waits for the
// read that is under way, or uses one not older than a second.
func (s *Stream) Collect(ch chan<- prometheus.Metric) {
	r := s.read()
	success := 1.0
	if r.err != nil {
		success = 0
	}
	send := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	send(s.success, success)
	send(s.took, r.took.Seconds())
	if r.err != nil {
		return
	}
	for i, g := range gauges {
		send(s.descs[i], g.value(r.snapshot))
	}
}

func (s *Stream) read() reading {
	if last := s.last.Load(); last != nil && time.Since(last.ended) < scrapeCache {
		return *last
	}
	r, _, _ := s.reads.Do("", func() (any, error) { return s.readNow(), nil })
	return r.(reading)
}

func (s *Stream) readNow() reading {
	// A collector gets no context: its deadline is its own.
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	start := time.Now()
	snapshot, err := s.queue.Inspect(ctx)
	s.redis.Error(streamutil.ErrorKind(err))
	now := time.Now()
	r := reading{snapshot: snapshot, err: err, took: now.Sub(start), ended: now}
	s.last.Store(&r)
	return r
}
