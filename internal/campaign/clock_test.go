package campaign

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// TestClockJumps moves Redis's wall clock by an hour, to and fro, while orders
// come in and are sent: with some of them parked, and with a hold or a pause
// that is to end by itself. No promise may break, and nothing may wait for as
// long as the clock jumped.
func TestClockJumps(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	redis := redistest.StartWithClock(t)
	jumpClock(t, "Redis's clock", setup{Redis: redis}, func() string { return "2" }, redis.ShiftClock)
}

// waits is how long the holds and pauses of jumpClock last.
const waits = 2 * time.Second

// jumpClock runs a system, moves a clock seven times, and judges what is left.
// RetryAfter is how the partner says now and then that it wants to be left in
// peace for two seconds.
func jumpClock(t *testing.T, what string, c setup, retryAfter func() string, shift func(time.Duration)) *system {
	t.Helper()
	var throttle atomic.Bool
	c.Consumers, c.Pace, c.Lease, c.Timeout, c.MaxInFlight = 3, "10/s", 3*time.Second, time.Second, 10
	c.Respond = func(call partner.Call) partner.Response {
		switch {
		case throttle.CompareAndSwap(true, false):
			return partner.Response{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {retryAfter()}}}
		case call.Attempt == 1 && call.Seq%8 == 0:
			return partner.Response{Drop: true} // uncertain: parked for the timeout at least
		case call.Attempt == 1 && call.Seq%8 == 4:
			return partner.Response{Status: http.StatusInternalServerError} // parked for a while
		}
		return partner.Response{Delay: 20 * time.Millisecond}
	}
	s := newSystem(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	stop := shop.keepPosting(ctx, 200*time.Millisecond)
	s.awaitCalls(10)

	// Pauses and holds by turns, each across jumps either way.
	shifts := []time.Duration{time.Hour, 0, -time.Hour, time.Hour, 0, -time.Hour, 0}
	var longest time.Duration
	for i, to := range shifts {
		if i%2 == 0 {
			s.pause(ctx)
		} else {
			throttle.Store(true)
			s.awaitBlocked("hold")
		}
		shift(to)
		jumped := time.Now()
		s.awaitCalls(10)
		longest = max(longest, time.Since(jumped))
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	e := s.finish(ctx, shop, time.Minute)
	e.Interval = 100 * time.Millisecond
	r := Check(e)
	report(t, "%s moved %d times by an hour or two: %d accepted, %d lost, %d overlaps, least gap %v; "+
		"ten calls within %v of every jump, holds and pauses of %v among them",
		what, len(shifts), len(e.Accepted), r.Count(Lost), r.Count(Overlap), partner.Quantile(r.Partner.Gaps, 0),
		longest.Round(time.Millisecond), waits)
	if t.Log(r); len(r.Violations) > 0 {
		t.Errorf("%d promises broken", len(r.Violations))
	}
	return s
}

// pause stops the sending; it ends by itself.
func (s *system) pause(ctx context.Context) {
	s.t.Helper()
	if err := s.queue.Pause(ctx, waits, streamutil.Act{Who: "test", Why: "a pause across a jump"}); err != nil {
		s.t.Fatal(err)
	}
}

// awaitBlocked waits until the queue says that this is why nothing is sent.
func (s *system) awaitBlocked(why string) {
	s.t.Helper()
	await(s.t, 10*time.Second, "the queue is blocked by "+why, func() bool {
		snap, ok := s.inspect()
		return ok && snap.Blocked == why
	})
}
