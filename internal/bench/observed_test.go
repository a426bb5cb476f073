package bench_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"orderq/consumer"
	"orderq/internal/bench"
	"orderq/internal/redistest"
	"orderq/metrics"
	"orderq/producer"
	"orderq/streamutil"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// observed is a queue and what watches it: a log file and a registry that is
// scraped every second, or nothing at all.
type observed struct {
	queue    *streamutil.Queue
	log      *zap.Logger
	registry *prometheus.Registry
}

func observe(b *testing.B, on bool) observed {
	b.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redistest.Shared(b).Addr()}})
	b.Cleanup(client.Close)
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: redistest.QueueName(b), MaxBacklog: 1 << 40, MaxInFlight: 50})
	if err != nil {
		b.Fatal(err)
	}
	if !on {
		return observed{queue: q, log: zap.NewNop()}
	}
	file, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	o := observed{
		queue:    q,
		log:      zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.Lock(file), zap.InfoLevel)),
		registry: prometheus.NewRegistry(),
	}
	metrics.NewStream(o.registry, q)
	scrapes := time.NewTicker(time.Second)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-scrapes.C:
				_, _ = o.registry.Gather()
			case <-ended:
				return
			}
		}
	}()
	b.Cleanup(func() { scrapes.Stop(); close(ended) })
	return o
}

// registerer is nil without a registry.
func (o observed) registerer() prometheus.Registerer {
	if o.registry == nil {
		return nil
	}
	return o.registry
}

const rounds = 7

// BenchmarkObservedEnqueue compares POST /v1/orders on 64 connections with metrics
// and logs and without, in turns.
func BenchmarkObservedEnqueue(b *testing.B) {
	contender := func(name string, on bool) *bench.Contender {
		o := observe(b, on)
		h, err := producer.New(o.queue, producer.Config{Logger: o.log, Registerer: o.registerer()})
		if err != nil {
			b.Fatal(err)
		}
		server := httptest.NewServer(h)
		b.Cleanup(server.Close)
		return &bench.Contender{Name: name, Load: bench.Load{
			Addr: strings.TrimPrefix(server.URL, "http://"), Path: "/v1/orders", ContentType: "application/json",
			Connections: 64, Orders: 1,
			Body: func(buf []byte, n int64) []byte { return bench.AppendOrder(buf, name, n) },
		}}
	}
	with, without := contender("with", true), contender("without", false)
	contest := bench.Contest{
		Contenders: []*bench.Contender{with, without}, Rounds: rounds, Each: time.Second, Progress: func(int, string) {},
	}
	for b.Loop() {
		if err := contest.Run(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	report(b, with, without)
}

// BenchmarkObservedDrain compares how fast one consumer without a pace empties a
// queue into a partner that answers at once.
func BenchmarkObservedDrain(b *testing.B) {
	with, without := &bench.Contender{Name: "with"}, &bench.Contender{Name: "without"}
	on, off := observe(b, true), observe(b, false)
	for b.Loop() {
		for round := range rounds {
			with.Rounds = append(with.Rounds, on.drain(b, round))
			without.Rounds = append(without.Rounds, off.drain(b, round))
		}
	}
	report(b, with, without)
}

// drain gives the orders a second from the first call to the last.
func (o observed) drain(b *testing.B, round int) float64 {
	b.Helper()
	const orders = 4000
	batch := make([]streamutil.NewOrder, orders)
	for i := range batch {
		id := strconv.Itoa(round) + "-" + strconv.Itoa(i)
		batch[i] = streamutil.NewOrder{ID: id, Body: bench.AppendOrder(nil, id, int64(i))}
	}
	for _, s := range o.queue.EnqueueBatch(b.Context(), batch) {
		if s.Err != nil {
			b.Fatal(s.Err)
		}
	}
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	partner := &instant{last: stop, left: orders}
	c, err := consumer.New(o.queue, partner, consumer.Config{
		Pace: &streamutil.Unlimited, Logger: o.log, Registerer: o.registerer(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Run(ctx); err != nil {
		b.Fatal(err)
	}
	return orders / partner.end.Sub(partner.begin).Seconds()
}

// instant delivers at once.
type instant struct {
	last       func()
	left       int64
	seen       atomic.Int64
	begin, end time.Time
}

func (p *instant) Send(context.Context, streamutil.Order) consumer.Result {
	switch p.seen.Add(1) {
	case 1:
		p.begin = time.Now()
	case p.left:
		p.end = time.Now()
		p.last()
	}
	return consumer.Result{Outcome: streamutil.OutcomeDelivered, Status: 200}
}

func report(b *testing.B, with, without *bench.Contender) {
	b.Helper()
	ratio := with.To(without)
	b.ReportMetric(with.PerSecond(), "orders/s")
	b.ReportMetric(ratio.Median, "with/without")
	b.ReportMetric(ratio.Least, "least")
	b.ReportMetric(ratio.Most, "most")
	b.ReportMetric(0, "ns/op")
}
