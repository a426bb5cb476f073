package campaign

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"orderq/internal/partner"
	"orderq/internal/redistest"
)

// cutFor is how long a master goes on without replicas before it dies: less
// than the time after which Sentinel holds the frozen replicas dead.
const cutFor = 700 * time.Millisecond

func newReplicatedSystem(t *testing.T, durability string, args ...string) *system {
	t.Helper()
	return newSystem(t, setup{
		Consumers: 3, Pace: "10/s", Lease: 3 * time.Second, Timeout: time.Second, MaxInFlight: 10,
		Replicated: redistest.StartReplicated(t, 2, 3, args...), Durability: durability,
		Respond: func(c partner.Call) partner.Response {
			return partner.Response{Delay: time.Duration(5+c.Seq%60) * time.Millisecond}
		},
	})
}

// death is the end of a master: when it was killed, and when another one had
// been promoted, as partner.Now reads.
type death struct{ killed, promoted int64 }

// failovers kills the master ORDERQ_TEST_KILLS times (default 1) while orders
// come in and are sent, each time after cutting off as many replicas as cuts
// says in turn, and brings it back as a replica.
func (s *system) failovers(cuts []int) (Evidence, []death) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Minute)
	defer cancel()
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	stop := shop.keepPosting(ctx, 60*time.Millisecond)
	var deaths []death
	for i := range kills(s.t) {
		s.awaitCalls(10)
		if n := cuts[i%len(cuts)]; n > 0 {
			s.setup.Replicated.CutReplicas(n)
			wait(s.t, cutFor)
		}
		d := death{killed: partner.Now()}
		dead := s.setup.Replicated.KillMaster()
		d.promoted = partner.Now()
		deaths = append(deaths, d)
		s.setup.Replicated.Rejoin(dead)
	}
	s.awaitCalls(10)
	if err := stop(); err != nil {
		s.t.Fatal(err)
	}
	e := s.finish(ctx, shop, time.Minute)
	e.Interval = 100 * time.Millisecond
	return e, deaths
}

// kills is how often a test kills the master.
func kills(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv("ORDERQ_TEST_KILLS"), "1"))
	if err != nil {
		t.Fatalf("ORDERQ_TEST_KILLS: %v", err)
	}
	return n
}

// awaitCalls waits until so many more calls have ended.
func (s *system) awaitCalls(n int) {
	s.t.Helper()
	ended := func() (n int) {
		for _, c := range s.partner.Calls() {
			if c.Ended != 0 {
				n++
			}
		}
		return n
	}
	n += ended()
	await(s.t, 30*time.Second, fmt.Sprintf("%d calls have ended", n), func() bool { return ended() >= n })
}

// keepPosting posts an order every so often, by a few clients at a time, until
// stop is called, which returns when every order is accepted.
func (s *shop) keepPosting(ctx context.Context, every time.Duration) (stop func() error) {
	g, ctx := errgroup.WithContext(ctx)
	ids, enough := make(chan string), make(chan struct{})
	for range 4 {
		g.Go(func() error {
			for id := range ids {
				if _, err := s.submit(ctx, id); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(ids)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case ids <- fmt.Sprintf("F-%05d", i):
			case <-enough:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
			<-tick.C
		}
	})
	return func() error {
		close(enough)
		return g.Wait()
	}
}
