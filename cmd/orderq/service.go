package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"orderq/metrics"
	"orderq/streamutil"
)

// service is what a process that stays has: orderq producer and orderq
// consumer differ in the work they do on it.
type service struct {
	cfg      *loaded
	log      *logging
	registry *prometheus.Registry
	client   *streamutil.Client
	queue    *streamutil.Queue
	admin    *admin
	hints    hints
	// reloading is what SIGHUP does.
	reloading reloading
	// stuck names a part of the work that has not come round for so long, if any.
	stuck func(time.Duration) string
	// redisSeen is closed when Redis could be used for the first time; until then
	// redisFault says why not.
	redisSeen  chan struct{}
	redisFault atomic.Pointer[string]
	// reloadFault is set while the configuration is not the one that is in force.
	reloadFault atomic.Bool
	// stopsWithin is how long an orderly end may take.
	stopsWithin time.Duration
}

// newService loads the configuration, opens the log and binds the admin
// listener, whose address is the value of adminKey. It does not wait for Redis.
func (a *app) newService(r role, adminKey string, adminAddress func(Config) string) (*service, error) {
	cfg, err := a.load(r)
	if err != nil {
		return nil, err
	}
	log, err := newLogging(cfg, a.stderr, a.lookup("NO_COLOR") != "")
	if err != nil {
		return nil, err
	}
	s := &service{cfg: cfg, log: log, registry: newRegistry(), hints: heed(), stuck: neverStuck, redisSeen: make(chan struct{})}
	s.stopsWithin = cfg.Consumer.StopTimeout + lastWords
	if r == roleProducer {
		s.stopsWithin = cfg.Producer.DrainDelay + cfg.Producer.StopTimeout + lastWords
	}
	s.reloading = reloading{
		load:  func() (*loaded, error) { return a.load(r) },
		apply: map[string]func(*loaded) error{"log.level": s.applyLevel},
	}
	log.countIn(s.registry)
	for _, note := range cfg.Notes {
		log.Warn("a setting does not count", zap.String("note", note))
	}
	if cfg.losesAtFailover() {
		log.Warn("a failover can lose accepted orders: set redis.durability to replicas=N, with N the number of all replicas",
			zap.Stringer("durability", cfg.Redis.Durability))
	}
	if s.client, s.queue, err = cfg.open(); err != nil {
		log.close()
		return nil, err
	}
	if s.admin, err = newAdmin(s, adminKey, adminAddress(cfg.Config)); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// open gives the client and the queue. Neither talks to Redis yet.
func (c *loaded) open() (*streamutil.Client, *streamutil.Queue, error) {
	cfg, err := c.clientConfig()
	if err != nil {
		return nil, nil, err
	}
	client := streamutil.NewClient(cfg)
	queue, err := streamutil.NewQueue(client, c.queueConfig())
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return client, queue, nil
}

// lastWords is how much longer than configured a stop may take: to settle, to hand
// back, to close.
const lastWords = 10 * time.Second

// losesAtFailover reports whether a replica may be promoted that no write had to
// reach.
func (c *loaded) losesAtFailover() bool {
	return c.Redis.Sentinel.Master != "" && c.Redis.Durability.Replicas() == 0
}

// neverStuck is for work that waits for nothing but requests, each of which has
// its own time.
func neverStuck(time.Duration) string { return "" }

func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(), // without the runtime's histograms: they would be half of all series
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	metrics.NewBuildInfo(reg, readBuildInfo().Version)
	return reg
}

func (s *service) close() {
	s.client.Close()
	s.log.close()
}

// run does the work until ctx ends, and beside it whatever the process owes
// its surroundings. The admin listener outlives the work, so that a drain can
// be watched.
//
// A Redis that is away is no reason to end, before the work or during it. One
// that can never be as durable as the configuration asks is; where Redis is
// there, that is known before the first order is touched.
func (s *service) run(ctx context.Context, work func(context.Context) error) error {
	first := s.contact(ctx)
	if errors.Is(first, streamutil.ErrDurability) {
		return first
	}
	g, ctx := errgroup.WithContext(ctx)
	beside, end := context.WithCancel(context.WithoutCancel(ctx))
	ctx, stop := context.WithCancel(ctx)
	g.Go(func() error {
		defer end()
		defer stop()
		return work(ctx)
	})
	g.Go(func() error { return s.admin.run(beside) })
	g.Go(func() error { return s.awaitRedis(ctx, first) })
	g.Go(func() error { return s.notify(ctx, beside) })
	g.Go(func() error { return s.log.flood.run(beside) })
	g.Go(func() error { return s.hints.run(beside, s.reload, s.log.reopen) })
	return g.Wait()
}

// awaitRedis tries until Redis has answered once. Its first try was made: err
// is what came of it.
func (s *service) awaitRedis(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		s.log.Warn("Redis cannot be used; trying again until it can", zap.String("redis", s.queue.Redis()), zap.Error(err))
	}
	for attempt := 0; err != nil; attempt++ {
		s.redisFault.Store(new(cause(err)))
		if errors.Is(err, streamutil.ErrDurability) {
			return err
		}
		if !wait(ctx, retryDelay(attempt)) {
			return nil
		}
		err = s.contact(ctx)
	}
	s.log.Info("connected to Redis", zap.String("redis", s.queue.Redis()))
	close(s.redisSeen)
	return nil
}

func (s *service) contact(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.queue.Ping(ctx); err != nil {
		return err
	}
	return s.client.CheckDurability(ctx)
}

// retryDelay grows from 100 ms to 5 s, with jitter so that many processes do
// not come back together.
func retryDelay(attempt int) time.Duration {
	most := min(5*time.Second, 100*time.Millisecond<<min(attempt, 10))
	return most/2 + rand.N(most/2) + 50*time.Millisecond
}

// wait lets d pass, and reports whether ctx is still alive then.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
