package consumer

import (
	"context"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// TestStopFinishesCalls: a running call ends and is settled; nothing more is
// taken; the name goes.
func TestStopFinishesCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := make(chan struct{})
	b := newBook(func(context.Context, streamutil.Order) Result {
		<-release
		return delivered()
	})
	r.enqueue(0, 50)
	run := r.run(b)
	b.await(t, 2)
	run.halt()
	redistest.Eventually(t, "no call is begun any more", func() bool { return run.holdings.len() == len(b.all()) })
	seen := r.inspect().Time
	redistest.Eventually(t, "the calls are vouched for by another beat", func() bool {
		s := r.inspect()
		return len(s.Consumers) == 1 && s.Time.Add(-s.Consumers[0].Seen).After(seen)
	})
	close(release)
	<-run.ended
	s := r.inspect()
	if calls := int64(len(b.all())); s.Totals.Delivered != calls || s.InFlight != 0 || s.Length != 50-calls {
		t.Errorf("after %d calls: %d delivered, %d in flight, %d left", calls, s.Totals.Delivered, s.InFlight, s.Length)
	}
	if len(s.Consumers) != 0 {
		t.Errorf("still registered: %v", s.Consumers)
	}
	for _, a := range b.all() {
		if a.cut {
			t.Errorf("the call for %s was cut", a.id)
		}
	}
}

// TestStopHandsBack: what was taken and not started is due at once, and its
// attempt does not count.
func TestStopHandsBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(nil)
	var run *running
	ready, once := make(chan struct{}), false
	b.late = func(streamutil.Order) bool { // the stop comes between take and start
		<-ready
		if !once {
			run.halt()
		}
		once = true
		return true
	}
	r.enqueue(0, 1)
	run = r.run(b)
	close(ready)
	<-run.ended
	rec, s := r.lookup("o-0"), r.inspect()
	if rec.State != streamutil.Parked || rec.Attempts != 0 || s.Parked != 1 || s.InFlight != 0 || len(s.Consumers) != 0 {
		t.Errorf("%s after %d attempts, %d parked, %d in flight, %d consumers; want it handed back",
			rec.State, rec.Attempts, s.Parked, s.InFlight, len(s.Consumers))
	}
	r.run(newBook(nil))
	r.awaitDelivered(1)
	if rec := r.lookup("o-0"); rec.Attempts != 1 {
		t.Errorf("delivered with attempt %d, want 1", rec.Attempts)
	}
}

// TestStopCutsCalls: a call that outlives the grace is cut in time to be settled;
// one whose Sender heeds nothing is left to others.
func TestStopCutsCalls(t *testing.T) {
	for _, tc := range []struct {
		name    string
		heeds   bool
		state   streamutil.State
		pending int64
	}{
		{"it heeds its context", true, streamutil.Parked, 0},
		{"it heeds nothing", false, streamutil.InFlight, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			release := make(chan struct{})
			defer close(release)
			b := newBook(func(ctx context.Context, _ streamutil.Order) Result {
				if tc.heeds {
					<-ctx.Done()
				} else {
					<-release
				}
				return Result{Outcome: streamutil.OutcomeUncertain}
			})
			r.enqueue(0, 1)
			run := r.run(b, func(c *Config) { c.CallTimeout, c.StopTimeout = 900*ms, time.Second })
			b.await(t, 1)
			// A call may take as long as it likes here: only the stop is to cut it.
			stopped := run.clock.now()
			run.stop()
			if took := run.clock.now() - stopped; took > 5*time.Second {
				t.Errorf("the stop took %v, want about StopTimeout, 1s, at most", took)
			}
			s := r.inspect()
			if rec := r.lookup("o-0"); rec.State != tc.state || s.InFlight != tc.pending || len(s.Consumers) != 0 {
				t.Errorf("%s, %d in flight, %d consumers; want %s, %d, 0", rec.State, s.InFlight, len(s.Consumers), tc.state, tc.pending)
			}
		})
	}
}

// TestStopWithoutRedis: a consumer that waits for Redis stops at once.
func TestStopWithoutRedis(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	run := r.runOn(r.queue("127.0.0.1:1"), newBook(nil))
	redistest.Eventually(t, "the trouble is told", func() bool { return r.said("redis gives trouble") == 1 })
	began := run.clock.now()
	run.stop()
	if took := run.clock.now() - began; took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// TestStopWithATakeInDoubt: the stop comes while nobody knows what the last take
// handed out. It is due again before the consumer leaves.
func TestStopWithATakeInDoubt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enqueue(0, 1)
	c, err := New(r.q, newBook(nil), r.config())
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.register(t.Context(), t.Context(), t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.fence.stop()
	now := s.pacer.turn()
	if _, err := r.q.Take(t.Context(), streamutil.Take{Consumer: s.name, K: 1, N: 1, Epoch: now.epoch, Slot: now.slot}); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	d := &dispatcher{session: s, k: 1, unknown: true}
	if err := d.Run(stopped); err != nil {
		t.Fatal(err)
	}
	if s := r.inspect(); s.InFlight != 0 || s.Parked != 1 {
		t.Errorf("%d in flight, %d parked; want it handed back", s.InFlight, s.Parked)
	}
}
