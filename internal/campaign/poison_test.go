package campaign

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/streamutil"
)

// poisoned is the id of the order that the partner can never take.
const poisoned = "POISON"

// TestPoison has one order that always fails among good ones, and then a
// partner that fails for all of them: the first speaks against the order, the
// second does not.
func TestPoison(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	t.Parallel()
	t.Run("one bad order", func(t *testing.T) {
		t.Parallel()
		poisonOne(t)
	})
	t.Run("a bad partner", func(t *testing.T) {
		t.Parallel()
		poisonAll(t)
	})
}

func poisonOne(t *testing.T) {
	s := newSystem(t, setup{
		Consumers: 2, Pace: "20/s", Lease: 3 * time.Second, Timeout: time.Second, MaxInFlight: 10,
		Respond: func(c partner.Call) partner.Response {
			if c.OrderID == poisoned {
				return partner.Response{Status: http.StatusInternalServerError, Body: answerText}
			}
			return partner.Response{Delay: 20 * time.Millisecond}
		},
	})
	s.set("consumer.max_attempts=3")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	stop := shop.keepPosting(ctx, 80*time.Millisecond)
	s.awaitCalls(5)
	s.post(shop, poisoned)
	posted := partner.Now()
	s.awaitCalls(100)
	// Should chance make its waits long, others must still come: without any
	// that get through nothing speaks against it.
	await(t, 30*time.Second, "it is dead", func() bool {
		snap, ok := s.inspect()
		return ok && snap.Dead == 1
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	e := s.finish(ctx, shop, 30*time.Second)
	s.judgePoison(e, posted)
}

func (s *system) judgePoison(e Evidence, posted int64) {
	s.t.Helper()
	bad := slices.DeleteFunc(slices.Clone(e.Calls), func(c partner.Call) bool { return c.OrderID != poisoned })
	longest := s.longestWait(e)
	took := time.Duration(bad[len(bad)-1].Ended - posted)
	report(s.t, "a poison order among %d good ones: dead after %d calls and %d strikes, %v after it came; the longest wait of a good one %v",
		len(e.Accepted)-1, len(bad), s.strikes(poisoned), took.Round(time.Millisecond), longest.Round(time.Millisecond))
	if n, most := s.strikes(poisoned), 4+unproven(e.Calls, bad); n != 3 || len(bad) < 4 || len(bad) > most {
		s.t.Errorf("it died of %d strikes in %d calls, want 3 in 4 to %d: the first attempt is none", n, len(bad), most)
	}
	want := []letter{{poisoned, "failed", http.StatusInternalServerError, answerText, len(bad)}}
	if got := s.letters(); !slices.Equal(got, want) {
		s.t.Errorf("dead letters %+v, want %+v", got, want)
	}
	if longest > 2*time.Second {
		s.t.Errorf("a good order waited for %v: behind the bad one?", longest)
	}
	for id, state := range e.States {
		if want := (map[bool]streamutil.State{true: streamutil.Dead, false: streamutil.Delivered})[id == poisoned]; state != want {
			s.t.Errorf("order %s is %s, want %s", id, state, want)
		}
	}
	for _, v := range Check(e).Violations {
		if !strings.Contains(v.Detail, poisoned) && v.Kind != Leftover && v.Kind != Miscount {
			s.t.Errorf("%s: %s", v.Kind, v.Detail)
		}
	}
}

// unproven counts the retries that need not be strikes, since no other call was
// seen to begin and to end between the one before and them: chance can make a
// wait as short as nothing.
func unproven(all, bad []partner.Call) int {
	n := 0
	for i, retry := range bad[1:] {
		if !slices.ContainsFunc(all, func(c partner.Call) bool {
			return c.OrderID != poisoned && c.Arrived > bad[i].Ended && c.Ended < retry.Arrived
		}) {
			n++
		}
	}
	return n
}

// longestWait is the longest time from a good order's acceptance to its call,
// by Redis's clock and this process's, which is the same on one machine.
func (s *system) longestWait(e Evidence) time.Duration {
	s.t.Helper()
	wall := time.Now().UnixNano() - partner.Now()
	var longest time.Duration
	for _, c := range e.Calls {
		if c.OrderID != poisoned {
			longest = max(longest, time.Unix(0, c.Arrived+wall).Sub(e.Accepted[c.OrderID].Entry.Time()))
		}
	}
	return longest
}

// poisonAll fails all orders alike, for longer than any of them would survive
// if it counted against them.
func poisonAll(t *testing.T) {
	const n = 100
	lasts := 2 * outageSeconds(t, 3*time.Second)
	var works atomic.Bool
	s := newSystem(t, setup{
		Consumers: 3, Pace: "40/s", Lease: 3 * time.Second, Timeout: time.Second, MaxInFlight: 10,
		Respond: func(partner.Call) partner.Response {
			if works.Load() {
				return partner.Response{}
			}
			return partner.Response{Status: http.StatusInternalServerError}
		},
	})
	s.set("consumer.max_attempts=3")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	fails := time.NewTimer(lasts)
	if err := shop.post(ctx, n, n/4, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	select {
	case <-fails.C:
	case <-ctx.Done():
	}
	calls := s.partner.Seen()
	works.Store(true)
	since := partner.Now()
	resumed := time.Duration(s.awaitAccepted(since) - since)
	e := s.finish(ctx, shop, time.Minute)
	e.Interval, e.InOrder = 25*time.Millisecond, true
	r := Check(e)
	report(t, "%d orders through %v of plain 500s with max_attempts 3: %d calls, %d dead; sending went on %v after",
		n, lasts, calls, e.Final.Dead, resumed.Round(time.Millisecond))
	if len(r.Violations) > 0 {
		t.Errorf("promises broken: %v", r)
	}
	if calls < 5 || calls > 2*mostCalls {
		t.Errorf("%d calls in the outage: want more than strikes, and few", calls)
	}
}
