package consumer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"orderq/metrics"
	"orderq/streamutil"
)

// UncertainPolicy says what becomes of an order that was sent without an answer.
type UncertainPolicy string

// The policies for an uncertain attempt.
const (
	// UncertainRetry sends it again, under the same key. The default.
	UncertainRetry UncertainPolicy = "retry"
	// UncertainDead sets it aside for a person.
	UncertainDead UncertainPolicy = "dead"
)

// Config is how a consumer works. The zero value of a field stands for its default.
type Config struct {
	// Pace is the least time between the starts of two calls, over all
	// processes; the slowest of the registered ones counts. Default 1/s; for no
	// pace at all use [streamutil.Unlimited].
	Pace *streamutil.Pace
	// Lease is how long a consumer's heartbeat must stand still before others
	// take back what it had in flight. At least 1 s, and above CallTimeout.
	// Default 15 s.
	Lease time.Duration
	// StopTimeout is how long a stop waits for running calls. Above
	// CallTimeout. Default 20 s.
	StopTimeout time.Duration
	// CallTimeout is the longest a call may take. Default 10 s.
	CallTimeout time.Duration
	// MaxAttempts is how many strikes make an order a dead letter: attempts that
	// failed although the partner took other orders meanwhile. Default 8.
	MaxAttempts int
	// MaxHold bounds how long the partner may make the queue wait. Default 1 h.
	MaxHold time.Duration
	// OnUncertain is what becomes of an order that was sent without an answer.
	// Default UncertainRetry.
	OnUncertain UncertainPolicy
	// Version is the program's, for those who look at the queue.
	Version string
	// Logger gets one line for each order at its final state. Nil means none.
	Logger *zap.Logger
	// Registerer gets the metrics. Nil means none.
	Registerer prometheus.Registerer
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&c.Lease, 15*time.Second)
	set(&c.StopTimeout, 20*time.Second)
	set(&c.CallTimeout, 10*time.Second)
	set(&c.MaxHold, time.Hour)
	if c.MaxAttempts == 0 {
		c.MaxAttempts = 8
	}
	if c.Pace == nil {
		p := streamutil.Every(time.Second)
		c.Pace = &p
	}
	if c.OnUncertain == "" {
		c.OnUncertain = UncertainRetry
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	return c
}

// validate reports everything that is wrong, relations included.
func (c Config) validate() error {
	var errs []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	fault(c.CallTimeout <= 0, "CallTimeout (%s) must be above 0", c.CallTimeout)
	fault(c.Lease < time.Second, "Lease (%s) must be at least 1s", c.Lease)
	fault(c.Lease <= c.CallTimeout, "Lease (%s) must exceed CallTimeout (%s)", c.Lease, c.CallTimeout)
	fault(c.StopTimeout <= c.CallTimeout, "StopTimeout (%s) must exceed CallTimeout (%s)", c.StopTimeout, c.CallTimeout)
	fault(c.MaxAttempts < 0, "MaxAttempts (%d) must be above 0", c.MaxAttempts)
	fault(c.MaxHold < 0, "MaxHold (%s) must be above 0", c.MaxHold)
	fault(c.OnUncertain != UncertainRetry && c.OnUncertain != UncertainDead,
		"OnUncertain (%s) must be retry or dead", c.OnUncertain)
	return errors.Join(errs...)
}

// Consumer sends a queue's orders to a partner.
type Consumer struct {
	queue   *streamutil.Queue
	sender  Sender
	cfg     Config
	chosen  atomic.Pointer[streamutil.Pace]
	clock   clock
	log     *zap.Logger
	metrics *metrics.Consumer
	blocked *blockage
	trouble *trouble
	turns   *turns

	// What outlives a session: this process holds and knows it under any name.
	pacer    *pacer
	holdings *holdings
	settler  *settler
	calls    sync.WaitGroup
}

// policy is what follows from outcomes, with quiet as the time for which an
// uncertain order is left alone.
func (c *Consumer) policy(quiet time.Duration) streamutil.Policy {
	return streamutil.Policy{
		MaxStrikes: c.cfg.MaxAttempts, MaxHold: c.cfg.MaxHold,
		BuryUncertain: c.cfg.OnUncertain == UncertainDead, Quiet: quiet,
	}
}

// New makes a consumer of the queue that calls sender for every attempt. It
// does not talk to Redis yet. The error names every field that is wrong.
func New(q *streamutil.Queue, sender Sender, cfg Config) (*Consumer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("consumer: %w", err)
	}
	c := &Consumer{
		queue: q, sender: sender, cfg: cfg, clock: systemClock(),
		log: cfg.Logger.Named("consumer").With(zap.String("queue", q.Name())), metrics: metrics.NewConsumer(cfg.Registerer, q.Name()),
		holdings: newHoldings(),
	}
	c.SetPace(*cfg.Pace)
	c.blocked = &blockage{metrics: c.metrics, by: map[string]string{}}
	c.trouble = &trouble{log: c.log, redis: metrics.NewRedis(cfg.Registerer), clock: c.clock, blocked: c.blocked, in: map[string]bool{}, news: make(chan struct{}, 1)}
	c.pacer = newPacer()
	c.turns = newTurns(c.clock)
	c.settler = &settler{queue: q, clock: c.clock, trouble: c.trouble, log: c.log}
	return c, nil
}

// SetPace changes the pace of the configuration while the consumer runs. Within a
// beat, a fifth of the lease, the queue knows; the slowest of its consumers counts.
func (c *Consumer) SetPace(p streamutil.Pace) { c.chosen.Store(&p) }

func (c *Consumer) pace() streamutil.Pace { return *c.chosen.Load() }

// Run sends orders until ctx ends. Then it takes no more, hands back what it
// has not started, and waits up to StopTimeout for the calls that run. It
// returns nil; trouble with Redis or the partner is met, not returned. Run may
// be called once.
func (c *Consumer) Run(ctx context.Context) error {
	work, calls, cancel := c.lifetimes(ctx)
	defer cancel()
	for ctx.Err() == nil {
		s, err := c.register(ctx, work, calls)
		if err != nil {
			break // the stop came before Redis did
		}
		if err := s.run(ctx); err != nil {
			c.log.Warn("others held this consumer dead, or Redis forgot it; going on under a new name",
				zap.String("consumer", s.name), zap.Error(err))
		}
	}
	c.calls.Wait()
	return nil
}

// lifetimes gives the contexts that outlive the stop: work, under which
// outcomes are told, ends StopTimeout after it; calls a little earlier, so that
// a call that is cut can still be told.
func (c *Consumer) lifetimes(ctx context.Context) (work, calls context.Context, cancel func()) {
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	calls, endCalls := context.WithCancel(work)
	unlink := context.AfterFunc(ctx, func() {
		reserve := min(time.Second, c.cfg.StopTimeout/10)
		time.AfterFunc(c.cfg.StopTimeout-reserve, endCalls)
		time.AfterFunc(c.cfg.StopTimeout, endWork)
	})
	return work, calls, func() {
		unlink()
		endCalls()
		endWork()
	}
}

// newName is new for every registration: two starts under one name could not
// be told apart.
func newName() string {
	return fmt.Sprintf("%s-%d-%s", hostname(), pid(), strings.ToLower(rand.Text()[:8]))
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "unknown"
	}
	return name
}

func pid() int { return os.Getpid() }
