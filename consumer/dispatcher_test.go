package consumer

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// TestPaceOverThreeConsumers: they share the slots, and none of them is wasted.
func TestPaceOverThreeConsumers(t *testing.T) {
	r := newRig(t)
	b := newBook(nil)
	for range 3 {
		r.run(b)
	}
	r.awaitConsumers(3)
	r.enqueue(0, 40)
	r.awaitDelivered(40)
	b.check(t, 50*ms)
	all := b.all()
	if took := all[39].start - all[0].start; took > 4*time.Second {
		t.Errorf("40 orders took %v at 50ms each", took)
	} else {
		t.Logf("39 slots of 50ms took %v", took)
	}
	for i, a := range all {
		if a.id != name(i) {
			t.Fatalf("order of starts: %s", b.ids())
		}
	}
}

// TestRetriedFirst: an order that failed goes before later ones as soon as it is
// due, and its attempts are numbered.
func TestRetriedFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(func(_ context.Context, o streamutil.Order) Result {
		switch {
		case o.ID == "o-1" && o.Attempt < 3:
			return Result{Outcome: streamutil.OutcomeFailed, Status: 500, Answer: "no"}
		case o.ID == "o-2" && o.Attempt == 1:
			panic("broken")
		case o.ID == "o-3":
			return Result{Outcome: streamutil.OutcomeRejected, Status: 422, Answer: "bad"}
		}
		return delivered()
	})
	r.enqueue(0, 6)
	r.run(b)
	redistest.Eventually(t, "all are final", func() bool { return r.inspect().Length == 0 })
	b.check(t, 50*ms)
	var first []string
	seen := map[string]int{}
	for _, a := range b.all() {
		if seen[a.id]++; a.number != seen[a.id] {
			t.Errorf("call %d of %s has the number %d", seen[a.id], a.id, a.number)
		}
		if a.number == 1 {
			first = append(first, a.id)
		}
	}
	if got := strings.Join(first, " "); got != "o-0 o-1 o-2 o-3 o-4 o-5" {
		t.Errorf("first attempts: %s", got)
	}
	for id, want := range map[string]streamutil.Record{
		"o-1": {State: streamutil.Delivered, Attempts: 3, LastStatus: 200},
		"o-2": {State: streamutil.Delivered, Attempts: 2, LastStatus: 200},
		"o-3": {State: streamutil.Dead, Attempts: 1, LastStatus: 422, LastAnswer: "bad"},
	} {
		got := r.lookup(id)
		if got.State != want.State || got.Attempts != want.Attempts || got.LastStatus != want.LastStatus || got.LastAnswer != want.LastAnswer {
			t.Errorf("%s: %+v, want %+v", id, got, want)
		}
	}
	if got := r.said("order delivered"); got != 5 {
		t.Errorf("%d lines for 5 delivered orders", got)
	}
	if got := r.said("order is dead"); got != 1 {
		t.Errorf("%d lines for 1 dead order", got)
	}
}

// TestDueBeforeNew: an order that is due again is taken before those that wait.
func TestDueBeforeNew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(nil)
	var once sync.Once
	b.late = func(o streamutil.Order) (miss bool) {
		once.Do(func() { miss = o.ID == "o-0" }) // handed back: due at once
		return miss
	}
	r.enqueue(0, 4)
	r.run(b)
	r.awaitDelivered(4)
	if got := b.ids(); got != "o-0 o-1 o-2 o-3" {
		t.Errorf("starts: %s, want the one handed back first, as its first attempt", got)
	}
}

// TestOneAtATime: with one call in flight at most, the next begins only after
// the last was settled, over all consumers.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.cfg.MaxInFlight = 1
	r.q = r.queue(r.srv.Addr())
	c := systemClock()
	b := newBook(func(ctx context.Context, _ streamutil.Order) Result {
		_ = c.sleep(ctx, 70*ms)
		return delivered()
	})
	r.enqueue(0, 8)
	r.run(b)
	r.run(b)
	r.awaitDelivered(8)
	b.check(t, 50*ms)
	all := b.all()
	for i := 1; i < len(all); i++ {
		if all[i].start < all[i-1].ended || all[i].id != name(i) {
			t.Errorf("%s began %v before %s had ended", all[i].id, all[i-1].ended-all[i].start, all[i-1].id)
		}
	}
}

// TestSlowCallsOverlap: a slow partner does not hold up the pace. It answers the
// first call when the fifth has come.
func TestSlowCallsOverlap(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var begun atomic.Int32
	fifth := make(chan struct{})
	b := newBook(func(ctx context.Context, _ streamutil.Order) Result {
		if begun.Add(1) == 5 {
			close(fifth)
		}
		select {
		case <-fifth:
			return delivered()
		case <-ctx.Done():
			t.Error("a call ended before the fifth had begun")
			return Result{}
		}
	})
	r.enqueue(0, 5)
	r.run(b)
	r.awaitDelivered(5)
	b.check(t, 50*ms)
}

// TestAwayPartner: calls that cannot connect are no faster than the pace, and
// after three of them nobody calls for a while: a short outage must not touch
// every order of the backlog.
func TestAwayPartner(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := newWire(t, serveOK)
	w.listener.Close()
	s := newSender(t, HTTPConfig{URL: w.url()})
	r.enqueue(0, 200)
	run := r.run(s)
	began := run.clock.now()
	redistest.Eventually(t, "it is known that nobody gets through", func() bool { return r.inspect().Blocked == "breaker" })
	took := run.clock.now() - began
	run.stop()
	if parked := r.inspect().Parked; parked > 4 || took < 2*50*ms {
		t.Errorf("%d orders attempted in %v, want at most 4 (two batches) in 100 ms or more", parked, took)
	}
	if rec := r.lookup("o-0"); rec.LastOutcome != streamutil.OutcomeUnavailable || rec.Attempts == 0 {
		t.Errorf("%+v, want an unavailable attempt", rec)
	}
	if got := r.said("nobody gets through to the partner; after a wait one order is tried"); got == 0 {
		t.Error("nobody said that the partner is away")
	}
}

// TestUndecodable: what is no order becomes a dead letter, and the next one goes on.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enqueue(0, 1)
	r.srv.CLI("XADD", r.key("stream"), "*", "id", "not an id", "body", "{}")
	r.srv.CLI("XADD", r.key("stream"), "*", "what", "ever")
	r.enqueue(1, 2)
	b := newBook(nil)
	r.run(b)
	r.awaitDelivered(2)
	if s := r.inspect(); s.Dead != 2 || b.ids() != "o-0 o-1" {
		t.Errorf("%d dead letters, calls %s; want 2, and o-0 o-1", s.Dead, b.ids())
	}
}

// TestFasterWhenSlowestLeaves: the pace is that of the slowest; when it leaves,
// the others do not sit out what it was.
func TestFasterWhenSlowestLeaves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(nil)
	slow := r.run(b, func(c *Config) { p := streamutil.Every(time.Hour); c.Pace = &p })
	r.awaitConsumers(1)
	r.run(b)
	r.awaitConsumers(2)
	r.enqueue(0, 3)
	redistest.Eventually(t, "the pace of the slowest is in force", func() bool { return r.inspect().Pace == time.Hour })
	slow.stop()
	r.awaitDelivered(3)
	b.check(t, 50*ms)
}
