package campaign

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"orderq/internal/partner"
)

// orders is how many the shop posts in the kill test.
const orders = 250

// TestKill kills and freezes consumers, and kills the producer and Redis, while
// 250 orders are on their way. Everything accepted must arrive, never two calls
// for one order at once, and never two starts closer than the pace.
//
// The stamps are judged without tolerance and nothing is excused. P3 exempts a
// process that was frozen between its last check and its first byte, but no
// stamp can show that: a stamp is taken after the slot's moment has come and
// before the last check, and a call whose check comes more than W after its
// take was sent is not made. So whenever its owner freezes, the stamp of a call
// that arrives lies within the owner's slot, and slots are an interval apart.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	seed := seed(t)
	s := newSystem(t, setup{
		Consumers: 4, Pace: "10/s", Lease: 3 * time.Second, Timeout: time.Second, Durability: "fsync", MaxInFlight: 10,
		RedisArgs: []string{"--appendonly", "yes", "--appendfsync", "always"},
		Respond:   moody(seed),
	})
	plan := Plan{
		Seed: seed, Span: 23 * time.Second, Consumers: 4, Interval: 100 * time.Millisecond,
		Kills: 22, Freezes: 24, ProducerKills: 2, RedisKills: 2,
		FreezeAtLeast: 20 * time.Millisecond, FreezeUpTo: 400 * time.Millisecond, DownUpTo: 300 * time.Millisecond,
	}
	e, done := s.campaign(plan, orders)
	e.Interval, e.Deaths = 100*time.Millisecond, done[KillConsumer]
	if done[KillConsumer] < 20 || done[Freeze] < 20 || done[KillRedis] < 2 {
		t.Errorf("too few faults: %v", done)
	}
	r := Check(e)
	t.Logf("%v\nfaults: %v", r, done)
	report(t, "kill test, seed %d: %d orders, %d calls, %d taken more than once, %d overtaken, %d poison, least gap %v, %d violations",
		seed, len(e.Accepted), len(e.Calls), r.Partner.Repeated, r.Overtakings, r.Poison, partner.Quantile(r.Partner.Gaps, 0), len(r.Violations))
	if len(r.Violations) > 0 {
		t.Errorf("%d promises broken", len(r.Violations))
	}
}

// TestKillControl runs one campaign twice: as it is, and with the consumers'
// fence and lease broken. Then the checker must find calls that overlap, or
// the kill test would show nothing.
func TestKillControl(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds")
	}
	seed := seed(t)
	tests := []struct {
		name   string
		env    []string
		broken bool
	}{
		{"intact", nil, false},
		{"without fence and lease", []string{"ORDERQ_TEST_NO_FENCE=1"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := control(t, seed, tt.env, tt.broken)
			t.Logf("%d calls, overlaps: %v", r.Calls, r.Overlaps)
			if got := len(r.Overlaps) > 0; got != tt.broken {
				t.Errorf("overlaps: %v, want %v", got, tt.broken)
			}
		})
	}
}

// controlRounds bounds how often a broken campaign is tried. One round in ten
// or so brings no two calls together by luck.
const controlRounds = 6

// control freezes consumers for less than their lease, but for longer than a
// broken one lasts. Calls are slow and few at a time: what a frozen consumer
// has sent still runs when another sends it again, which takes one slot, not
// the many that a full pipeline would. Broken consumers soon hold all others
// dead and are of no use, so some are started anew, and nobody waits for the
// queue to drain.
func control(t *testing.T, seed uint64, env []string, broken bool) partner.Report {
	t.Helper()
	s := newSystem(t, setup{
		Consumers: 4, Pace: "10/s", Lease: 2 * time.Second, Timeout: time.Second, MaxInFlight: 2, Env: env,
		Respond: func(partner.Call) partner.Response { return partner.Response{Delay: 900 * time.Millisecond} },
	})
	plan := Plan{
		Seed: seed, Span: 6 * time.Second, Consumers: 4, Kills: 5, Freezes: 6, DownUpTo: 100 * time.Millisecond,
		FreezeAtLeast: 800 * time.Millisecond, FreezeUpTo: 1200 * time.Millisecond,
	}
	s.disturb(t.Context(), plan, 80)
	r := partner.Check(s.partner.Calls(), 0)
	for i := 1; broken && i < controlRounds && len(r.Overlaps) == 0; i++ {
		plan.Seed++
		s.sabotage(plan)
		r = partner.Check(s.partner.Calls(), 0)
	}
	if stamped := s.partner.Calls(); len(stamped) == 0 || stamped[0].Sent == 0 {
		t.Fatal("the program does not heed ORDERQ_TEST_STAMP, nor can it heed ORDERQ_TEST_NO_FENCE")
	}
	return r
}

// campaign carries out a plan while orders come in, lets the queue drain, and
// gives what is left behind and how often each thing was done.
func (s *system) campaign(plan Plan, n int) (Evidence, map[Action]int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	shop, done := s.disturb(ctx, plan, n)
	return s.finish(ctx, shop, time.Minute), done
}

// disturb starts everything and carries out a plan while orders come in. It
// returns when the plan is over and every order is accepted.
func (s *system) disturb(ctx context.Context, plan Plan, n int) (*shop, map[Action]int) {
	s.t.Helper()
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	posted := make(chan error, 1)
	go func() { posted <- shop.post(ctx, n, n/4, 60*time.Millisecond) }()
	done := s.sabotage(plan)
	if err := <-posted; err != nil {
		s.t.Fatal(err)
	}
	return shop, done
}

// moody is a partner that is mostly quick, at times nearly as slow as the
// timeout, and now and then fails or hangs up. Each call's fate follows from
// the seed and its place among the calls.
func moody(seed uint64) func(partner.Call) partner.Response {
	return func(c partner.Call) partner.Response {
		random := rand.New(rand.NewPCG(seed, uint64(c.Seq)))
		answer := partner.Response{Delay: 5*time.Millisecond + time.Duration(random.Int64N(int64(55*time.Millisecond)))}
		switch kind := random.Float64(); {
		case kind < 0.10:
			answer.Delay = 300*time.Millisecond + time.Duration(random.Int64N(int64(600*time.Millisecond)))
		case kind < 0.13:
			answer.Status = 500
		case kind < 0.15:
			answer.Drop = true
		}
		return answer
	}
}

// seed is ORDERQ_TEST_SEED or a new one; the log of the test tells it.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64N(1_000_000)
	if text := os.Getenv("ORDERQ_TEST_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("ORDERQ_TEST_SEED: %v", err)
		}
	}
	t.Logf("ORDERQ_TEST_SEED=%d repeats this plan", n)
	return n
}
