package consumer

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// TestIdle: what a consumer with nothing to do costs Redis, with the default
// configuration.
func TestIdle(t *testing.T) {
	for _, tc := range []struct {
		name   string
		parked bool
	}{{"nothing there", false}, {"an order is parked for long", true}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			proxy := faultconn.Listen(t, r.srv.Addr())
			b := newBook(func(context.Context, streamutil.Order) Result {
				return Result{Outcome: streamutil.OutcomeFailed}
			})
			run := r.runOn(r.queue(proxy.Addr()), b, func(c *Config) { *c = Config{Logger: r.log} })
			r.awaitConsumers(1)
			if tc.parked {
				r.enqueue(0, 1)
				b.await(t, 1)
				redistest.Eventually(t, "it is parked", func() bool { return r.inspect().Parked == 1 })
				r.srv.CLI("ZINCRBY", r.key("due"), "1000000", r.lookup(name(0)).Entry.String())
			}
			if err := run.clock.sleep(t.Context(), time.Second); err != nil { // for the pace's first slot to pass
				t.Fatal(err)
			}
			const span = 4 * time.Second
			var all, pings atomic.Int64
			proxy.EatReply(func(args []string) bool { // counts, and eats none
				all.Add(1)
				if args[0] == "PING" {
					pings.Add(1)
				}
				return false
			})
			if err := run.clock.sleep(t.Context(), span); err != nil {
				t.Fatal(err)
			}
			rate := float64(all.Load()-pings.Load()) / span.Seconds()
			t.Logf("%.2f commands a second, and %.2f of the client's own PINGs", rate, float64(pings.Load())/span.Seconds())
			// One a second waits, a beat comes every fifth of a lease, and now and
			// then somebody looks round; a loop that spins makes thousands.
			if rate > 5 {
				t.Errorf("%.2f commands a second, want at most 5", rate)
			}
		})
	}
}

// BenchmarkWake measures the time from an order's acceptance to the start of its
// call, on an idle queue without a pace.
func BenchmarkWake(b *testing.B) {
	srv := redistest.Shared(b)
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}})
	defer client.Close()
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: redistest.QueueName(b)})
	if err != nil {
		b.Fatal(err)
	}
	started := make(chan time.Duration)
	clock := systemClock()
	c, err := New(q, senderFunc(func(context.Context, streamutil.Order) Result {
		started <- clock.now()
		return delivered()
	}), Config{Pace: &streamutil.Unlimited})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()

	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		if _, err := q.Enqueue(ctx, streamutil.NewOrder{ID: "o-" + strconv.Itoa(i), Body: []byte("{}")}); err != nil {
			b.Fatal(err)
		}
		accepted := clock.now()
		took = append(took, <-started-accepted)
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
