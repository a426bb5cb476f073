package consumer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// rig is one queue on a real Redis.
type rig struct {
	t    *testing.T
	srv  *redistest.Server
	cfg  streamutil.QueueConfig
	q    *streamutil.Queue
	logs *observer.ObservedLogs
	log  *zap.Logger
}

// newRig gives a queue of its own on the server that all tests share.
func newRig(t *testing.T) *rig { return newRigOn(t, redistest.Shared(t)) }

func newRigOn(t *testing.T, srv *redistest.Server) *rig {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	r := &rig{
		t: t, srv: srv, logs: logs, log: zap.New(core),
		cfg: streamutil.QueueConfig{Name: redistest.QueueName(t)},
	}
	r.q = r.queue(srv.Addr())
	return r
}

// queue is the rig's queue by way of another address, such as a proxy's.
func (r *rig) queue(addr string) *streamutil.Queue {
	r.t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	r.t.Cleanup(client.Close)
	q, err := streamutil.NewQueue(client, r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return q
}

// enqueue accepts orders o-FROM up to, not including, o-TO.
func (r *rig) enqueue(from, to int) {
	r.t.Helper()
	for i := from; i < to; i++ {
		if _, err := r.q.Enqueue(r.t.Context(), streamutil.NewOrder{ID: name(i), Body: []byte("{}")}); err != nil {
			r.t.Fatal(err)
		}
	}
}

func name(i int) string { return fmt.Sprintf("o-%d", i) }

// config is quick: 50 ms between two starts.
func (r *rig) config() Config {
	pace := streamutil.Every(50 * ms)
	return Config{Pace: &pace, Lease: time.Second, CallTimeout: 500 * ms, StopTimeout: 3 * time.Second, Logger: r.log}
}

// running is a consumer under test.
type running struct {
	*Consumer

	halt  context.CancelFunc
	ended chan struct{}
}

// run starts a consumer; it stops with the test, if not before.
func (r *rig) run(s Sender, change ...func(*Config)) *running { return r.runOn(r.q, s, change...) }

func (r *rig) runOn(q *streamutil.Queue, s Sender, change ...func(*Config)) *running {
	r.t.Helper()
	cfg := r.config()
	for _, c := range change {
		c(&cfg)
	}
	c, err := New(q, s, cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, halt := context.WithCancel(context.Background())
	run := &running{Consumer: c, halt: halt, ended: make(chan struct{})}
	go func() {
		defer close(run.ended)
		if err := c.Run(ctx); err != nil {
			r.t.Errorf("Run: %v", err)
		}
	}()
	r.t.Cleanup(run.stop)
	return run
}

// stop is SIGTERM, and waits for the end.
func (r *running) stop() {
	r.halt()
	<-r.ended
}

func (r *rig) inspect() streamutil.Snapshot {
	r.t.Helper()
	s, err := r.q.Inspect(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) lookup(id string) streamutil.Record {
	r.t.Helper()
	rec, err := r.q.Lookup(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return rec
}

// key names one of the queue's keys.
func (r *rig) key(name string) string { return "orderq:{" + r.cfg.Name + "}:" + name }

// awaitDelivered waits until so many orders are delivered and nothing is left.
func (r *rig) awaitDelivered(n int64) {
	r.t.Helper()
	redistest.Eventually(r.t, fmt.Sprintf("%d orders delivered", n), func() bool {
		s, err := r.q.Inspect(r.t.Context())
		return err == nil && s.Totals.Delivered >= n && s.Length == 0
	})
	if got := r.inspect().Totals.Delivered; got != n {
		r.t.Errorf("%d orders delivered, want %d", got, n)
	}
}

// awaitConsumers waits until so many are registered and gives their names.
func (r *rig) awaitConsumers(n int) (names []string) {
	r.t.Helper()
	redistest.Eventually(r.t, fmt.Sprintf("%d consumers registered", n), func() bool {
		s, err := r.q.Inspect(r.t.Context())
		names = nil
		for _, c := range s.Consumers {
			names = append(names, c.Name)
		}
		return err == nil && len(names) == n
	})
	return names
}

// said counts the log's lines with this text.
func (r *rig) said(text string) int {
	n := 0
	for _, e := range r.logs.All() {
		if strings.Contains(e.Message, text) {
			n++
		}
	}
	return n
}

// attempt is one call as the Sender saw it; times of systemClock.
type attempt struct {
	id           string
	number       int
	start, ended time.Duration
	cut          bool // its context ended before it did
}

// book is a Sender that notes every call, with its exact start, as a Sender
// over a connection would measure it.
type book struct {
	clock clock
	// answer decides each call; nil means delivered at once.
	answer func(ctx context.Context, o streamutil.Order) Result
	// late makes a call miss its slot.
	late func(o streamutil.Order) bool

	mu       sync.Mutex
	attempts []*attempt
}

func newBook(answer func(ctx context.Context, o streamutil.Order) Result) *book {
	return &book{clock: systemClock(), answer: answer}
}

func delivered() Result { return Result{Outcome: streamutil.OutcomeDelivered, Status: 200} }

func (b *book) marksStart() {}

func (b *book) Send(ctx context.Context, o streamutil.Order) Result {
	g := gateOf(ctx)
	if b.late != nil && b.late(o) {
		g.late = 0
	}
	if err := g.check(); err != nil {
		return Result{Outcome: streamutil.OutcomeUnavailable, Err: err}
	}
	a := &attempt{id: o.ID, number: o.Attempt, start: b.clock.now()}
	b.mu.Lock()
	b.attempts = append(b.attempts, a)
	b.mu.Unlock()
	g.pass()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		a.ended, a.cut = b.clock.now(), ctx.Err() != nil
	}()
	if b.answer == nil {
		return delivered()
	}
	return b.answer(ctx, o)
}

// all gives the calls so far in the order of their starts.
func (b *book) all() []attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []attempt
	for _, a := range b.attempts {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(x, y attempt) int { return int(x.start - y.start) })
	return all
}

// ids are the orders in the order of their starts, with the attempt's number if
// it is not the first: o-1 o-2 o-1/2.
func (b *book) ids() string {
	var ids []string
	for _, a := range b.all() {
		if a.number > 1 {
			a.id += fmt.Sprintf("/%d", a.number)
		}
		ids = append(ids, a.id)
	}
	return strings.Join(ids, " ")
}

// await waits until so many calls have begun.
func (b *book) await(t *testing.T, n int) {
	t.Helper()
	redistest.Eventually(t, fmt.Sprintf("%d calls", n), func() bool { return len(b.all()) >= n })
}

// check wants all starts an interval apart, and no two calls of one order
// at the same time.
func (b *book) check(t *testing.T, interval time.Duration) {
	t.Helper()
	all := b.all()
	busy := map[string]time.Duration{} // until when
	for i, a := range all {
		if i > 0 && a.start-all[i-1].start < interval {
			t.Errorf("starts of %s and %s are %v apart, want at least %v", all[i-1].id, a.id, a.start-all[i-1].start, interval)
		}
		if until, again := busy[a.id]; again && (until == 0 || a.start < until) {
			t.Errorf("attempt %d of %s began before the one before had ended", a.number, a.id)
		}
		busy[a.id] = a.ended
	}
}
