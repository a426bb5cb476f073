package consumer

import (
	"context"
	"strings"
	"testing"
	"time"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// reopening is how long sending stops when Redis may have forgotten something.
const reopening = streamutil.Grace + 500*ms + time.Second

// TestGroupDestroyed: the group is created again, sending stops until no
// forgotten call can be running, and nothing is lost or doubled.
func TestGroupDestroyed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(nil)
	r.enqueue(0, 20)
	run := r.run(b)
	b.await(t, 5)
	destroyed := run.clock.now()
	r.srv.CLI("XGROUP", "DESTROY", r.key("stream"), "dispatchers")
	r.awaitDelivered(20)
	b.check(t, 50*ms)
	var resumed time.Duration
	for _, a := range b.all() {
		granted := destroyed + late + 50*ms // before it, and not too late yet
		if a.start > granted && resumed == 0 {
			resumed = a.start
		}
	}
	if resumed < destroyed+reopening {
		t.Errorf("sending resumed %v after the group was gone, want at least %v", resumed-destroyed, reopening)
	}
	if len(b.all()) != 20 {
		t.Errorf("calls: %s; want each order once", b.ids())
	}
	if got := r.said("redis may have forgotten"); got != 1 {
		t.Errorf("%d lines about it, want 1", got)
	}
}

// TestGroupDestroyedDuringLastCall: the entry of a call that fails meanwhile
// counts as never taken, and no new entry comes to wake anybody.
func TestGroupDestroyedDuringLastCall(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t))
	release := make(chan struct{})
	b := newBook(func(_ context.Context, o streamutil.Order) Result {
		if o.Attempt > 1 {
			return delivered()
		}
		<-release
		return Result{Outcome: streamutil.OutcomeFailed, Status: 500}
	})
	r.enqueue(0, 1)
	r.run(b, func(c *Config) { c.Lease, c.CallTimeout, c.StopTimeout = 2*time.Second, 1900*ms, 5*time.Second })
	r.run(b, func(c *Config) { c.Lease, c.CallTimeout, c.StopTimeout = 2*time.Second, 1900*ms, 5*time.Second })
	b.await(t, 1)
	redistest.Eventually(t, "both wait for the next entry", func() bool {
		return strings.Contains(r.srv.CLI("INFO", "clients"), "blocked_clients:2\r")
	})
	r.srv.CLI("XGROUP", "DESTROY", r.key("stream"), "dispatchers")
	redistest.Eventually(t, "both have noticed", func() bool { return r.said("redis may have forgotten") == 2 })
	close(release)
	r.awaitDelivered(1)
	b.check(t, 50*ms)
}

// TestFlushed: with everything gone the consumer comes back under a new name.
func TestFlushed(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t))
	b := newBook(nil)
	r.enqueue(0, 3)
	r.run(b)
	r.awaitDelivered(3)
	old := r.awaitConsumers(1)
	r.srv.CLI("FLUSHALL")
	r.enqueue(10, 13)
	// The last outcomes are told again, for Redis has forgotten them.
	r.awaitDelivered(6)
	b.check(t, 50*ms)
	if fresh := r.awaitConsumers(1); fresh[0] == old[0] {
		t.Errorf("the consumer goes on as %s", old[0])
	}
	if got := b.ids(); got != "o-0 o-1 o-2 o-10 o-11 o-12" {
		t.Errorf("calls: %s", got)
	}
}

// TestNameTakenAway: others held the consumer dead. Its calls are cut, it goes on
// under a new name, and the order is sent again, no two calls at a time.
func TestNameTakenAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := newBook(func(ctx context.Context, o streamutil.Order) Result {
		if o.Attempt > 1 {
			return delivered()
		}
		<-ctx.Done()
		return Result{Outcome: streamutil.OutcomeUncertain}
	})
	r.enqueue(0, 1)
	r.run(b, func(c *Config) { c.Lease, c.CallTimeout, c.StopTimeout = 4*time.Second, 3*time.Second, 5*time.Second })
	old := r.awaitConsumers(1)
	b.await(t, 1)
	taken := b.clock.now()
	r.srv.CLI("HDEL", r.key("consumers"), old[0])
	r.awaitDelivered(1)
	b.check(t, 50*ms)
	all := b.all()
	if !all[0].cut || all[0].ended-taken > 2*time.Second {
		t.Errorf("the call ended %v after the name was gone, cut %t", all[0].ended-taken, all[0].cut)
	}
	if b.ids() != "o-0 o-0/2" {
		t.Errorf("calls: %s, want the order once more, as attempt 2", b.ids())
	}
	if fresh := r.awaitConsumers(1); fresh[0] == old[0] {
		t.Errorf("the consumer goes on as %s", old[0])
	}
	if got := r.said("going on under a new name"); got != 1 {
		t.Errorf("%d lines about it, want 1", got)
	}
}

// TestHandedOutAnewWhileHandedBack: the order was released, and taken by this
// process again before it had heard so; nobody starts it, for it seems to be
// held, so it must be handed back by the new claim.
func TestHandedOutAnewWhileHandedBack(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t)) // of its own: the proxy must see the script's text
	proxy := faultconn.Listen(t, r.srv.Addr())
	c, err := New(r.queue(proxy.Addr()), newBook(nil), r.config())
	if err != nil {
		t.Fatal(err)
	}
	slot, err := r.q.Register(t.Context(), streamutil.Identity{Name: "me", Pace: streamutil.Unlimited, Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	r.enqueue(0, 1)
	take := func(k int64) (o streamutil.Order, held bool) {
		taken, err := r.q.Take(t.Context(), streamutil.Take{
			Consumer: "me", K: k, N: 1, Holding: c.holdings.entries(), Epoch: slot.Epoch,
		})
		if err != nil || len(taken.Orders) != 1 {
			t.Fatalf("take %d: %+v, %v", k, taken, err)
		}
		return taken.Orders[0], c.holdings.add(taken.Orders[0].Entry, claim{"me", k})
	}
	o, _ := take(1)
	released := proxy.EatReply(calls("release"))
	back := make(chan struct{})
	go func() {
		defer close(back)
		(&session{Consumer: c, name: "me", work: t.Context()}).giveBack(c.holdings.claim(o.Entry), o)
	}()
	<-released
	if _, held := take(2); !held {
		t.Fatal("the order is not held any more: the reply was not lost")
	}
	<-back
	if s := r.inspect(); s.InFlight != 0 || s.Parked != 1 || c.holdings.len() != 0 {
		t.Errorf("%d in flight, %d parked, %d held; want it handed back", s.InFlight, s.Parked, c.holdings.len())
	}
}

// TestHeldIsNotStartedTwice: a call goes on although it was cut, others hold its
// consumer dead, and the order comes to this process again under its new name.
func TestHeldIsNotStartedTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	release := make(chan struct{})
	b := newBook(func(context.Context, streamutil.Order) Result {
		<-release
		return delivered()
	})
	r.enqueue(0, 1)
	run := r.run(b)
	old := r.awaitConsumers(1)
	b.await(t, 1)
	entry := r.lookup("o-0").Entry
	r.srv.CLI("HDEL", r.key("consumers"), old[0])
	redistest.Eventually(t, "it has the order again, under its new name", func() bool {
		name := run.holdings.claim(entry).name
		return name != "" && name != old[0]
	})
	close(release)
	r.awaitDelivered(1)
	redistest.Eventually(t, "it holds nothing", func() bool { return run.holdings.len() == 0 })
	if len(b.all()) != 1 {
		t.Errorf("calls: %s, want one", b.ids())
	}
}

// TestReclaim: what a dead consumer had in flight is sent by another, after the
// dead one's lease and not before.
func TestReclaim(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enqueue(0, 1)
	takeAndDie(t, r, "ghost", 1)
	b := newBook(nil)
	began := b.clock.now()
	r.run(b)
	r.awaitDelivered(1)
	all := b.all()
	if waited := all[0].start - began; waited < time.Second {
		t.Errorf("taken back after %v, within the lease of 1s", waited)
	}
	if b.ids() != "o-0/2" {
		t.Errorf("calls: %s, want attempt 2", b.ids())
	}
	if names := r.awaitConsumers(1); names[0] == "ghost" {
		t.Error("the dead consumer is still registered")
	}
}

// takeAndDie takes one order, by the slot known, and is never heard of again.
func takeAndDie(t *testing.T, r *rig, name string, k int64) {
	t.Helper()
	slot, err := r.q.Register(t.Context(), streamutil.Identity{Name: name, Pace: streamutil.Unlimited, Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := r.q.Take(t.Context(), streamutil.Take{Consumer: name, K: k, N: 1, Epoch: slot.Epoch, Slot: slot.Number})
	if err != nil || len(taken.Orders) != 1 {
		t.Fatalf("%s took %+v, %v", name, taken, err)
	}
}

// TestPoison: an order that saw three consumers die is set aside.
func TestPoison(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enqueue(0, 1)
	for _, name := range []string{"ghost-1", "ghost-2"} {
		takeAndDie(t, r, name, 1)
		if done, err := r.q.Reclaim(t.Context(), name, 0, streamutil.Policy{}); err != nil || done.Due != 1 {
			t.Fatalf("reclaim from %s: %+v, %v", name, done, err)
		}
	}
	takeAndDie(t, r, "ghost-3", 1)
	b := newBook(nil)
	r.run(b)
	redistest.Eventually(t, "it is dead", func() bool { return r.inspect().Dead == 1 })
	if rec := r.lookup("o-0"); rec.State != streamutil.Dead || rec.Attempts != 3 || len(b.all()) != 0 {
		t.Errorf("%s after %d attempts and calls %q; want dead after 3, none of them ours", rec.State, rec.Attempts, b.ids())
	}
}
