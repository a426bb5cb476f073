package consumer

import (
	"context"
	"crypto/sha1" //nolint:gosec // EVALSHA names scripts by SHA-1
	"encoding/hex"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// calls matches calls of one script, by its header in the text; from there it
// learns the SHA of the calls to come. It sees every command of a proxy, one
// after the other.
func calls(script string) func(args []string) bool {
	sha := ""
	return func(args []string) bool {
		switch strings.ToUpper(args[0]) {
		case "EVAL":
			if strings.Contains(args[1], "\n-- "+script+": ") {
				sum := sha1.Sum([]byte(args[1])) //nolint:gosec // see the import
				sha = hex.EncodeToString(sum[:])
				return true
			}
		case "EVALSHA":
			return args[1] == sha
		}
		return false
	}
}

// TestLostReplies: Redis did what a script says and nobody was told. Every order
// is delivered by one call all the same, and nothing is stranded.
func TestLostReplies(t *testing.T) {
	for _, script := range []string{"register", "heartbeat", "take", "started", "settle", "release", "leave"} {
		for _, nth := range []int{1, 4} {
			if nth > 1 && (script == "register" || script == "release" || script == "leave") {
				continue // comes once
			}
			t.Run(script+map[int]string{1: ", the first", 4: ", the fourth"}[nth], func(t *testing.T) {
				t.Parallel()
				r := newRigOn(t, redistest.Start(t)) // of its own: the proxy must see each script's text
				proxy := faultconn.Listen(t, r.srv.Addr())
				match, seen := calls(script), 0
				struck := proxy.EatReply(func(args []string) bool {
					if match(args) {
						seen++
					}
					return seen == nth
				})
				b := newBook(nil)
				var missed atomic.Bool
				b.late = func(o streamutil.Order) bool { // so that release is called, once
					return o.ID == "o-2" && missed.CompareAndSwap(false, true)
				}
				r.enqueue(0, 8)
				run := r.runOn(r.queue(proxy.Addr()), b)
				r.awaitDelivered(8)
				r.awaitConsumers(1) // a name whose registration nobody heard of is gone after a lease
				run.stop()
				redistest.Eventually(t, "a reply of "+script+" was lost", func() bool {
					select {
					case <-struck:
						return true
					default:
						return false
					}
				})
				b.check(t, 50*ms)
				if len(b.all()) != 8 {
					t.Errorf("calls: %s; want each order once", b.ids())
				}
				if s := r.inspect(); s.InFlight != 0 || s.Parked != 0 || len(s.Consumers) != 0 || s.Totals.Delivered != 8 {
					t.Errorf("left: %d in flight, %d parked, %d consumers; %d delivered", s.InFlight, s.Parked, len(s.Consumers), s.Totals.Delivered)
				}
			})
		}
	}
}

// redisErrors is the sum of orderq_redis_errors_total.
func redisErrors(t *testing.T, reg prometheus.Gatherer) (sum float64) {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "orderq_redis_errors_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}

// trouble runs a consumer into trouble with Redis and out of it again: it says
// so once, does not run hot, and goes on where it was.
func (r *rig) trouble(t *testing.T, begin, end func()) {
	t.Helper()
	reg := prometheus.NewRegistry()
	b := newBook(nil)
	r.enqueue(0, 20)
	run := r.run(b, func(c *Config) { c.Registerer, c.Lease = reg, 3*time.Second })
	b.await(t, 5)
	begin()
	began := run.clock.now()
	redistest.Eventually(t, "some calls failed", func() bool { return redisErrors(t, reg) >= 16 })
	if took := run.clock.now() - began; took < 200*ms {
		t.Errorf("16 calls failed within %v: it runs hot", took)
	}
	end()
	r.awaitDelivered(20)
	b.check(t, 50*ms)
	if len(b.all()) != 20 {
		t.Errorf("calls: %s; want each order once", b.ids())
	}
	if on, off := r.said("redis gives trouble"), r.said("redis answers again"); on != 1 || off != 1 {
		t.Errorf("%d lines of trouble and %d of its end, want 1 each:", on, off)
		for _, e := range r.logs.All() {
			t.Log(e.Message, e.ContextMap())
		}
	}
}

func TestRedisRestarts(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always"))
	r.trouble(t, r.srv.Kill, r.srv.Restart)
}

func TestRedisReadOnly(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t))
	r.trouble(t,
		func() { r.srv.CLI("REPLICAOF", "127.0.0.1", "1") },
		func() { r.srv.CLI("REPLICAOF", "NO", "ONE") })
}

// TestRedisLoads: the server answers that it is loading its data.
func TestRedisLoads(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t, "--key-load-delay", "4000", "--loading-process-events-interval-bytes", "1024"))
	r.srv.CLI("DEBUG", "POPULATE", "900", "filler", "100")
	loaded := make(chan error, 1)
	r.trouble(t,
		func() {
			go func() {
				_, err := r.srv.Do("DEBUG", "RELOAD")
				loaded <- err
			}()
		},
		func() {
			if err := <-loaded; err != nil {
				t.Errorf("reload: %v", err)
			}
		})
	for _, e := range r.logs.FilterMessageSnippet("redis gives trouble").All() {
		if kind := e.ContextMap()["kind"]; kind != "loading" {
			t.Errorf("trouble of the kind %v, want loading", kind)
		}
	}
}

// TestSlotWentBack: a person wrote over the slot. That is told, met without
// haste, and mended by a restart.
func TestSlotWentBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	proxy := faultconn.Listen(t, r.srv.Addr())
	b := newBook(nil)
	r.enqueue(0, 3)
	run := r.runOn(r.queue(proxy.Addr()), b)
	r.awaitDelivered(3)
	r.srv.CLI("HSET", r.key("pace"), "slot", "1")
	r.enqueue(3, 4)
	redistest.Eventually(t, "it is told", func() bool { return r.said("redis gives trouble") == 1 })
	began, before := run.clock.now(), proxy.Passed()
	redistest.Eventually(t, "a few commands more", func() bool { return proxy.Passed() >= before+10 })
	if took := run.clock.now() - began; took < 300*ms {
		t.Errorf("10 commands within %v: it runs hot", took)
	}
	run.stop()
	r.run(b)
	r.awaitDelivered(4)
	b.check(t, 50*ms)
}

// TestRedisFrozen: connections stay and answers do not come, for longer than the
// lease: the call under way is cut before anybody could hold us dead.
func TestRedisFrozen(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t))
	b := newBook(func(ctx context.Context, o streamutil.Order) Result {
		if o.Attempt > 1 {
			return delivered()
		}
		<-ctx.Done()
		return Result{Outcome: streamutil.OutcomeUncertain}
	})
	r.enqueue(0, 1)
	r.run(b, func(c *Config) { c.CallTimeout, c.StopTimeout = 950*ms, 3*time.Second })
	b.await(t, 1)
	r.srv.Stop()
	frozen := b.clock.now()
	redistest.Eventually(t, "the call was cut", func() bool { return b.all()[0].cut })
	if after := b.all()[0].ended - frozen; after > 800*ms {
		t.Errorf("cut %v after Redis froze, want two thirds of the lease at most", after)
	}
	r.srv.Continue()
	r.awaitDelivered(1)
	b.check(t, 50*ms)
	if b.ids() != "o-0 o-0/2" {
		t.Errorf("calls: %s", b.ids())
	}
}

// TestTooFewReplicas: a take that no replica confirms starts no call and counts
// no attempt; it is tried ever more rarely, said once, and named.
func TestTooFewReplicas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.enqueue(0, 2)
	durability, err := streamutil.ParseDurability("replicas=1")
	if err != nil {
		t.Fatal(err)
	}
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{r.srv.Addr()}, Durability: durability})
	t.Cleanup(client.Close)
	q, err := streamutil.NewQueue(client, r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	b := newBook(nil)
	run := r.runOn(q, b, func(c *Config) { c.Registerer, c.Lease = reg, 3*time.Second })
	redistest.Eventually(t, "some takes were not confirmed", func() bool {
		slot, err := strconv.Atoi(r.srv.CLI("HGET", r.key("pace"), "slot"))
		return err == nil && slot >= 4
	})
	redistest.Eventually(t, "the metric says why", func() bool { return blockedReasons(t, reg) == "replicas" })
	redistest.Eventually(t, "the status says why", func() bool {
		s := r.inspect() // by a client that asks for no replicas: the consumer has told
		return s.Blocked == "replicas" && s.State == streamutil.QueueStalled
	})
	run.stop()
	if calls := b.ids(); calls != "" {
		t.Errorf("calls were made: %s", calls)
	}
	if rec := r.lookup("o-0"); rec.Attempts != 0 {
		t.Errorf("%d attempts were counted, and no call made", rec.Attempts)
	}
	if on, off := r.said("redis gives trouble"), r.said("redis answers again"); on != 1 || off != 0 {
		t.Errorf("%d lines of trouble and %d of its end, want 1 and 0", on, off)
	}
}
