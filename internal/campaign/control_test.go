package campaign

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/partner"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// effectWithin is how soon what an operator does must show; it is to take a
// second at most, which is reported.
const effectWithin = 3 * time.Second

// TestControl has operators act on running processes, with the commands they have.
func TestControl(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	t.Parallel()
	for name, control := range map[string]func(*testing.T){
		"pause and resume":            controlPause,
		"pace and reset":              controlPace,
		"pace of an idle hour":        controlSlowPace,
		"retry, cancel, dead requeue": controlOrders,
		"paces of several processes":  controlPaces,
		"unlimited, then 10/s":        controlUnlimited,
		"max_in_flight 1":             controlMaxInFlight,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			control(t)
		})
	}
}

// newControl makes a system that works off a backlog without a producer.
func newControl(t *testing.T, c setup, backlog int) *system {
	t.Helper()
	c.Redis, c.Queue = redistest.Shared(t), redistest.QueueName(t)
	c.Lease, c.Timeout = 3*time.Second, time.Second
	if c.MaxInFlight == 0 {
		c.MaxInFlight = 10
	}
	s := newSystem(t, c)
	s.backlog(backlog)
	return s
}

// effective reports how long something took to have its effect.
func effective(t *testing.T, what string, took time.Duration) {
	t.Helper()
	report(t, "%s: in effect after %v", what, took.Round(time.Millisecond))
	if took > effectWithin {
		t.Errorf("%s: want %v at most", what, effectWithin)
	}
}

func controlPause(t *testing.T) {
	s := newControl(t, setup{Consumers: 2, Pace: "20/s"}, 1000)
	s.consumers[0].serveMetrics()
	s.startConsumers()
	s.awaitCalls(5)
	_, since := s.command("pause", "--reason", "a test")
	await(t, effectWithin, "queue and metrics say paused", func() bool {
		snap, _ := s.inspect()
		return snap.Blocked == "paused" && s.consumers[0].metrics()[s.blockedMetric("paused")] == 1
	})
	effective(t, "pause, said by queue and metrics", time.Duration(partner.Now()-since))
	wait(t, time.Second)
	effective(t, "pause", s.lastClose(since, time.Minute)) // the last call
	if seen := s.partner.Seen(); s.wait(time.Second) && s.partner.Seen() != seen {
		t.Errorf("%d calls during the pause", s.partner.Seen()-seen)
	}
	since, _ = s.command("resume")
	effective(t, "resume", s.awaitCall(since))
	s.awaitCalls(5)
	_, since = s.command("pause", "--reason", "a test", "--for", "1s")
	wait(t, 500*time.Millisecond)
	since = max(since, partner.Now())
	effective(t, "end of a pause of 1s, 500ms on", s.awaitCall(since))
	if metric := s.consumers[0].metrics()[s.blockedMetric("paused")]; metric != 0 {
		t.Errorf("the metric says paused: %v", metric)
	}
}

// wait lets time pass, and says so.
func (s *system) wait(d time.Duration) bool {
	wait(s.t, d)
	return true
}

// controlOrders acts on single orders. What is parked would come back by itself
// too soon to tell, so its due time is moved an hour away.
func controlOrders(t *testing.T) {
	var bad atomic.Bool
	bad.Store(true)
	s := newControl(t, setup{Consumers: 1, Pace: "20/s", Respond: func(c partner.Call) partner.Response {
		switch {
		case bad.Load() && c.OrderID == "DEAD":
			return partner.Response{Status: http.StatusUnprocessableEntity}
		case bad.Load() && (c.OrderID == "RETRY" || c.OrderID == "CANCEL"):
			return partner.Response{Status: http.StatusInternalServerError}
		}
		return partner.Response{}
	}}, 20)
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	s.post(shop, "RETRY", "good1", "CANCEL", "good2", "DEAD")
	for _, id := range []string{"RETRY", "CANCEL"} {
		s.moveDue(id, time.Hour)
	}
	await(t, 10*time.Second, "an order is dead", func() bool { return len(s.letters()) == 1 })
	bad.Store(false)

	since, _ := s.command("retry", "RETRY")
	effective(t, "retry", s.awaitCall(since))
	since, _ = s.command("dead", "requeue", "DEAD")
	effective(t, "dead requeue", s.awaitCall(since))
	s.command("cancel", "CANCEL", "--reason", "a test")
	s.command("pause", "--reason", "a test")
	s.post(shop, "CANCEL2", "good3")
	s.command("cancel", "CANCEL2")
	s.command("resume")
	s.awaitEmpty(10 * time.Second)

	states, err := shop.states(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]streamutil.State{
		"RETRY": streamutil.Delivered, "DEAD": streamutil.Delivered, "CANCEL": streamutil.Cancelled, "CANCEL2": streamutil.Cancelled,
		"good1": streamutil.Delivered, "good2": streamutil.Delivered, "good3": streamutil.Delivered,
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	for _, c := range s.partner.Calls() {
		if c.OrderID == "CANCEL2" || c.OrderID == "CANCEL" && c.Accepted() {
			t.Errorf("cancelled, and sent: %+v", c)
		}
	}
	if err := partner.Check(s.partner.Calls(), 50*time.Millisecond).Err(); err != nil {
		t.Error(err)
	}
}

// moveDue lets a parked order wait for that long.
func (s *system) moveDue(id string, d time.Duration) {
	s.t.Helper()
	await(s.t, 10*time.Second, id+" is parked for "+d.String(), func() bool {
		rec, err := s.queue.Lookup(s.t.Context(), id)
		if err != nil || rec.State != streamutil.Parked {
			return false
		}
		due := strconv.FormatInt(time.Now().Add(d).UnixMilli(), 10)
		s.redis.CLI("ZADD", s.key("due"), "XX", due, rec.Entry.String())
		rec, err = s.queue.Lookup(s.t.Context(), id)
		return err == nil && rec.State == streamutil.Parked && time.Until(rec.Due) > d/2
	})
}

func controlMaxInFlight(t *testing.T) {
	s := newControl(t, setup{
		Consumers: 3, Pace: "unlimited", MaxInFlight: 1,
		Respond: func(partner.Call) partner.Response { return partner.Response{Delay: 30 * time.Millisecond} },
	}, 60)
	s.startConsumers()
	s.awaitEmpty(20 * time.Second)
	calls := s.partner.Calls()
	by := map[string]int{}
	for i, c := range calls {
		by[c.Header.Get(consumerHeader)]++
		if i > 0 && c.Arrived < calls[i-1].Ended {
			t.Errorf("order %s began %v before the call before it had ended", c.OrderID, time.Duration(calls[i-1].Ended-c.Arrived))
		}
	}
	total := time.Duration(calls[len(calls)-1].Ended - calls[0].Arrived)
	report(t, "max_in_flight 1, unlimited, calls of 30ms: %d calls by %d processes (%v), %v from one start to the next",
		len(calls), len(by), fmt.Sprint(by), (total / time.Duration(len(calls))).Round(time.Millisecond))
}
