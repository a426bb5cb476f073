package consumer

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func pace(interval time.Duration) func(*Config) {
	return func(c *Config) {
		p := streamutil.Every(interval)
		c.Pace = &p
	}
}

// inOrder fails unless the first calls of o-0 to o-N began in this order.
func (b *book) inOrder(t *testing.T, n int) {
	t.Helper()
	all := b.all()
	for i := range n {
		if i >= len(all) || all[i].id != name(i) {
			t.Fatalf("order of starts: %s", b.ids())
		}
	}
}

// TestBatches: faster than 10/s, one take is for the slots of 100 ms, and the
// calls start an interval apart all the same, over all consumers.
func TestBatches(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(nil)
	r.enqueue(0, 100)
	for range 3 {
		r.run(b, pace(10*ms))
	}
	r.awaitDelivered(100)
	b.check(t, 10*ms)
	b.inOrder(t, 100)
	slots := r.srv.CLI("HGET", r.key("pace"), "slot")
	if len(slots) > 2 || slots > "40" { // one by one it would be 100
		t.Errorf("%s slots were granted for 100 orders: not in batches", slots)
	}
}

// TestBatchMissesASlot: what comes too late within a batch is handed back with all
// behind it, in order and without an attempt.
func TestBatchMissesASlot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(nil)
	var missed bool
	b.late = func(o streamutil.Order) bool {
		if o.ID != "o-3" || missed {
			return false
		}
		missed = true
		return true
	}
	r.enqueue(0, 30)
	r.run(b, pace(10*ms))
	r.awaitDelivered(30)
	b.check(t, 10*ms)
	b.inOrder(t, 30)
}

// TestUnlimited: without a pace as many calls run as may be in flight.
func TestUnlimited(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.cfg.MaxInFlight = 5
	r.q = r.queue(r.srv.Addr())
	running := make(chan struct{}, 100)
	most := make(chan int, 1000)
	b := newBook(func(context.Context, streamutil.Order) Result {
		running <- struct{}{}
		most <- len(running)
		time.Sleep(2 * ms) // a call
		<-running
		return delivered()
	})
	r.enqueue(0, 300)
	for range 2 {
		r.run(b, pace(0))
	}
	r.awaitDelivered(300)
	b.check(t, 0)
	close(most)
	peak := 0
	for n := range most {
		peak = max(peak, n)
	}
	if peak < 2 || peak > 5 {
		t.Errorf("at most %d calls ran at once, want up to 5", peak)
	}
}

// TestPaceGivenBack: a pace set while there was none holds from then on, for all.
func TestPaceGivenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(func(context.Context, streamutil.Order) Result {
		time.Sleep(20 * ms) // a call
		return delivered()
	})
	r.cfg.MaxInFlight = 2
	r.q = r.queue(r.srv.Addr())
	r.enqueue(0, 400)
	for range 2 {
		r.run(b, pace(0))
	}
	b.await(t, 20)
	if err := r.q.SetPace(t.Context(), streamutil.Every(100*ms), 0, streamutil.Act{}); err != nil {
		t.Fatal(err)
	}
	set := systemClock().now()
	redistest.Eventually(t, "some calls under the pace", func() bool {
		all := b.all()
		return all[len(all)-1].start > set+2*time.Second
	})
	var before time.Duration
	for _, a := range b.all() {
		if a.start < set+late { // granted before, and not too late yet
			before = a.start
			continue
		}
		if before > 0 && a.start-before < 100*ms {
			t.Errorf("starts are %v apart, %v after the pace was set", a.start-before, a.start-set)
		}
		before = a.start
	}
}

// TestSlowPaceIsInterrupted: what an operator does takes effect within about a
// second, however long the next slot is away, and heartbeats apart.
func TestSlowPaceIsInterrupted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.cfg.MaxInFlight = 1
	r.q = r.queue(r.srv.Addr())
	reg := prometheus.NewRegistry()
	answered := make(chan struct{})
	b := newBook(func(context.Context, streamutil.Order) Result {
		<-answered
		return delivered()
	})
	act := streamutil.Act{Who: "ann"}
	change := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r.enqueue(0, 3)
	change(r.q.SetPace(t.Context(), streamutil.Every(50*ms), 0, act))
	r.run(b, pace(time.Hour), func(c *Config) {
		c.Registerer, c.Lease, c.CallTimeout, c.StopTimeout = reg, time.Minute, 30*time.Second, 40*time.Second
	})
	b.await(t, 1)
	change(r.q.ResetPace(t.Context(), act))
	redistest.Eventually(t, "the slow pace is known", func() bool { return gauge(t, reg, "orderq_pace_interval_seconds", "") == 3600 })
	close(answered)
	redistest.Eventually(t, "the first is delivered", func() bool { return r.inspect().Totals.Delivered == 1 })

	change(r.q.Pause(t.Context(), 0, act))
	redistest.Eventually(t, "the metric says paused", func() bool { return blockedReasons(t, reg) == "paused" })
	_, err := r.q.Resume(t.Context(), act)
	change(err)
	redistest.Eventually(t, "the metric says nothing", func() bool { return blockedReasons(t, reg) == "" })
	change(r.q.SetPace(t.Context(), streamutil.Every(50*ms), 0, act))
	r.awaitDelivered(3)
}

// gauge reads one, with a label of this value if one is given.
func gauge(t *testing.T, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if label == "" || l.GetValue() == label {
					return m.GetGauge().GetValue()
				}
			}
		}
	}
	return -1
}

// blockedReasons lists why nothing is sent, as the metrics have it.
func blockedReasons(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	var on []string
	for _, reason := range []string{"breaker", "credentials", "hold", "max_in_flight", "paused", "redis", "replicas"} {
		if gauge(t, reg, "orderq_blocked", reason) == 1 {
			on = append(on, reason)
		}
	}
	return strings.Join(on, " ")
}

// TestBlockage: a reason that two know of stands until neither does.
func TestBlockage(t *testing.T) {
	r := newRig(t)
	reg := prometheus.NewRegistry()
	c, err := New(r.q, newBook(nil), Config{Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	b := c.blocked
	var got []string
	for _, step := range [][2]string{
		{byTake, "breaker"}, {bySlot, "breaker"}, {byTake, ""}, {bySlot, ""}, {byRedis, "redis"}, {bySlot, "paused"}, {byRedis, ""}, {bySlot, "hold"},
	} {
		b.set(step[0], step[1])
		got = append(got, blockedReasons(t, reg))
	}
	want := []string{"breaker", "breaker", "breaker", "", "redis", "paused redis", "paused", "hold"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("reasons (-want +got):\n%s", d)
	}
}
