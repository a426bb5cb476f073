package metrics

import (
	"context"
	"slices"
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

// Stream is a collector that reads a queue from Redis when it is scraped. Its
// gauges are the same in every process that exports them.
//
// While Redis cannot be read, orderq_stream_scrape_success is 0 and the gauges
// are absent: a value that is no longer true must not stand.
type Stream struct {
	queue   Inspector
	redis   *Redis
	gauges  []described
	sets    []describedSet
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
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, onQueue(queue.Name()))
	}
	s := &Stream{
		queue: queue, redis: NewRedis(reg),
		success: desc("orderq_stream_scrape_success", "1 if Redis could be read for this scrape. 0: all that this process tells of the queue is missing."),
		took:    desc("orderq_stream_scrape_duration_seconds", "How long it took to read Redis. Beyond some 0.1 s: Redis is busy, or far away."),
	}
	for _, g := range gauges {
		s.gauges = append(s.gauges, described{desc(g.name, g.help), g.value})
	}
	for _, set := range sets {
		s.sets = append(s.sets, describedSet{set, desc(set.name, set.help, "reason")})
	}
	return register(reg, s)
}

// Describe implements [prometheus.Collector].
func (s *Stream) Describe(ch chan<- *prometheus.Desc) {
	ch <- s.success
	ch <- s.took
	for _, g := range s.gauges {
		ch <- g.desc
	}
	for _, set := range s.sets {
		ch <- set.desc
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
	send := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	send(s.success, success)
	send(s.took, r.took.Seconds())
	if r.err != nil {
		return
	}
	for _, g := range s.gauges {
		send(g.desc, g.value(r.snapshot))
	}
	for _, set := range s.sets {
		now := set.now(r.snapshot)
		for _, reason := range set.reasons {
			value := 0.0
			if slices.Contains(now, reason) {
				value = 1
			}
			send(set.desc, value, reason)
		}
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
