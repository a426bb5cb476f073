package streamutil_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// attempt takes what comes next as c1, which is registered if need be, and says
// what it was; then it settles it.
func (h *harness) attempt(outcome streamutil.Outcome) string {
	h.t.Helper()
	if h.k == 0 {
		h.register("c1")
	}
	h.k++
	taken := h.take("c1", h.k, 1)
	order, ok := strings.CutPrefix(taken, "taken ")
	if !ok {
		return taken
	}
	order, _, _ = strings.Cut(order, "#")
	return order + " " + h.settleBy(order, outcome, time.Millisecond)
}

func (h *harness) settleBy(order string, outcome streamutil.Outcome, quiet time.Duration) string {
	h.t.Helper()
	return h.settleAs(streamutil.Settlement{
		Consumer: "c1", K: h.k, Entry: h.entries[order], OrderID: order, Outcome: outcome, Status: 500,
		Policy: streamutil.Policy{MaxStrikes: 2, Quiet: quiet},
	})
}

// outage submits the orders that are new and lets an attempt of each fail.
func (h *harness) outage(orders ...string) {
	h.t.Helper()
	for _, order := range orders {
		if h.again[order] == 0 {
			h.submit(order)
		}
		if got := h.attempt(streamutil.OutcomeFailed); !strings.HasPrefix(got, order+" ok parked") {
			h.t.Fatalf("attempted %q, want %s", got, order)
		}
	}
}

// story is a list of steps and what each answers.
type story []struct{ do, want string }

// tell goes through a story: "failed", "delivered" and so on are attempts.
func (h *harness) tell(s story) {
	h.t.Helper()
	for i, step := range s {
		verb, arg, _ := strings.Cut(step.do, " ")
		var got string
		switch verb {
		case "submit":
			got, _, _ = strings.Cut(h.submit(arg), " ")
		case "later":
			h.anHourPasses()
		case "soon":
			h.anHourInstead()
			h.anHourPasses()
		case "resume":
			got = h.resume()
		case "state":
			s := h.snapshot()
			got = strings.TrimSpace(string(s.State) + " " + s.Blocked)
		default:
			got = h.attempt(streamutil.Outcome(verb))
		}
		if got != step.want {
			h.t.Fatalf("step %d, %s: %q, want %q", i+1, step.do, got, step.want)
		}
	}
}

// Three attempts in a row that did not get through open the breaker; then one
// order is tried at a time, the same one, at ever longer intervals, and from the
// fifth failed probe on every second tries the next in line, each time another.
// A delivery closes it, and all go on in their order.
func TestBreaker(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.tell(story{
		{"submit A", "accepted"},
		{"submit B", "accepted"},
		{"submit C", "accepted"},
		{"submit D", "accepted"},
		{"failed", "A ok parked"},
		{"unavailable", "A ok parked"},
		{"uncertain", "B ok parked, open 1s"}, // it may be A's fault: so the third is another's
		{"failed", "blocked breaker 1s"},
		{"state", "held breaker"},
		{"soon", ""},
		{"failed", "A ok parked, open 2s"},
		{"failed", "blocked breaker 2s"},
		{"soon", ""},
		{"failed", "A ok parked, open 4s"},
		{"soon", ""},
		{"failed", "A ok parked, open 8s"},
		{"soon", ""},
		{"failed", "A ok parked, open 16s"},
		{"soon", ""},
		{"failed", "A ok parked, open 32s"},
		{"soon", ""},
		{"failed", "B ok parked, open 1m0s"},
		{"soon", ""},
		{"failed", "A ok parked, open 1m0s"},
		{"soon", ""},
		{"failed", "C ok parked, open 1m0s"},
		{"soon", ""},
		{"failed", "A ok parked, open 1m0s"},
		{"soon", ""},
		{"delivered", "D ok delivered, closed"},
		{"delivered", "A ok delivered"},
		{"delivered", "B ok delivered"},
		{"delivered", "C ok delivered"},
		{"state", "idle"},
	})
}

// One bad order, first in line, does not look like an outage: after two attempts
// another is let past it.
func TestOneBadOrderIsNoOutage(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.tell(story{
		{"submit X", "accepted"},
		{"submit A", "accepted"},
		{"submit B", "accepted"},
		{"failed", "X ok parked"},
		{"failed", "X ok parked"},
		{"delivered", "A ok delivered"},
		{"failed", "X ok parked"}, // a strike
		{"failed", "X ok parked"},
		{"delivered", "B ok delivered"},
		{"failed", "X ok dead"}, // the second, and two are enough here
		{"state", "idle"},
	})
}

// When nobody but one order fails, a new one need not wait for the breaker: it
// may not be the partner's fault. If the new one fails, too, it waits like all.
func TestOneBadOrderAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.outage("X", "X", "X")
	h.tell(story{
		{"state", "held breaker"},
		{"submit A", "accepted"},
		{"state", "held breaker"},
		{"delivered", "A ok delivered, closed"},
		{"failed", "X ok parked"}, // a strike
		{"failed", "X ok parked"},
		{"failed", "X ok parked, open 1s"},
		{"submit B", "accepted"},
		{"failed", "B ok parked, open 2s"},
		{"submit C", "accepted"},
		{"failed", "blocked breaker 2s"},
	})
}

// The receipt of an order that need not wait says so.
func TestEstimateBesideOneBadOrderAlone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.outage("X", "X", "X")
	h.expect(h.submit("A"), "accepted A waiting position=1 wait=0s")
	h.expect(h.lookup("A"), "A waiting position=1 wait=0s attempts=0")
}

// What the breaker lets through is one order at a time, over all consumers; who
// was still sending when it opened neither feeds it nor hinders it.
func TestBreakerLetsOneThrough(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, order := range []string{"A", "B", "C", "D", "E"} {
		h.submit(order)
	}
	h.registerAt("c1", 20*time.Millisecond)
	h.registerAt("c2", 20*time.Millisecond)
	h.k = 1
	h.expect(h.take("c1", 1, 4), "taken A#1 B#1 C#1 D#1")
	for _, order := range []string{"A", "B", "C"} {
		h.settleBy(order, streamutil.OutcomeFailed, time.Minute)
	}
	h.anHourInstead()
	h.anHourPasses()
	h.expect(h.take("c2", 1, 4), "blocked breaker unknown") // D still runs
	h.expect(h.settleBy("D", streamutil.OutcomeUncertain, time.Minute), "ok parked")
	h.expect(h.take("c2", 2, 4), "taken A#2")
	h.expect(h.take("c1", 2, 4), "blocked breaker unknown")
	h.expect(h.delivered("c2", 2, "A"), "ok delivered, closed")
	// D may still be at work at the partner.
	h.expect(h.take("c2", 3, 4), "taken B#2 C#2 E#1")
}

// A probe whose consumer died is neither failed nor for ever under way.
func TestBreakerSurvivesItsProbe(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.outage("A", "A", "A")
	h.anHourInstead()
	h.anHourPasses()
	h.expect(h.take("c1", 4, 1), "taken A#4")
	h.register("c2")
	h.expect(h.take("c2", 1, 1), "blocked breaker unknown")
	h.reclaim("c1", 0)
	h.expect(h.take("c2", 2, 1), "taken A#5")
}

// Strikes are attempts that failed although others got through meanwhile. In an
// outage nobody does, so no order has any; and of one that fails among others
// that do not, the others do not wait.
func TestStrikes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.tell(story{
		{"submit A", "accepted"},
		{"submit B", "accepted"},
		{"submit C", "accepted"},
		{"submit D", "accepted"},
		{"failed", "A ok parked"},
		{"failed", "A ok parked"}, // nobody got through since: no strike
	})
	h.redis("ZADD", "%due", h.inQueueTime(time.Hour), h.entries["A"].String())
	h.tell(story{
		{"delivered", "B ok delivered"},
		{"later", ""},
		{"failed", "A ok parked"}, // the first
		{"failed", "A ok parked"},
	})
	h.redis("ZADD", "%due", h.inQueueTime(time.Hour), h.entries["A"].String())
	h.tell(story{
		{"delivered", "C ok delivered"},
		{"later", ""},
		{"failed", "A ok dead"}, // the second, and two are enough here
		{"delivered", "D ok delivered"},
	})
	l, err := h.q.DeadLetterOf(t.Context(), "A")
	if err != nil || l.Cause() != "failed 500" || l.Attempts != 5 {
		t.Errorf("%+v, %v", l, err)
	}
}

// An order with strikes keeps its own delay when an outage is over: it would
// only fail again before the others.
func TestOutageEndsForThoseWithoutStrikes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 20*time.Millisecond)
	for _, order := range []string{"A", "B", "C"} {
		h.submit(order)
	}
	h.take("c1", 1, 3)
	h.redis("HSET", "%order:A", "strikes", "1")
	for _, order := range []string{"A", "B", "C"} {
		h.settle("c1", 1, order, streamutil.OutcomeFailed, time.Hour)
	}
	h.expect(h.resume(), "ended breaker")
	h.expect(h.take("c1", 2, 5), "taken B#2 C#2")
}

// What we cut ourselves speaks against nobody.
func TestCutCallsDoNotCount(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.register("c1")
	h.submit("A")
	for k := int64(1); k <= 5; k++ {
		h.expect(h.take("c1", k, 1), fmt.Sprintf("taken A#%d", k))
		h.redis("HINCRBY", "%stats", "delivered", "1")
		h.expect(h.settleAs(streamutil.Settlement{
			Consumer: "c1", K: k, Entry: h.entries["A"], OrderID: "A", Outcome: streamutil.OutcomeUncertain,
			Cut: true, Policy: streamutil.Policy{MaxStrikes: 1},
		}), "ok parked")
	}
}

// A partner that asks for a wait gets it, within bounds; one that does not say
// how long gets ever longer ones until it takes something.
func TestHold(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.submit("A")
	h.register("c1")
	for i, c := range []struct {
		asked time.Duration
		want  string
	}{
		{5 * time.Second, "ok parked, hold 5s"},
		{1000 * time.Hour, "ok parked, hold 2m0s"},
		{0, "ok parked, hold 4s"},
		{0, "ok parked, hold 8s"},
	} {
		k := int64(i + 1)
		h.expect(h.take("c1", k, 1), fmt.Sprintf("taken A#%d", k))
		h.expect(h.settleAs(streamutil.Settlement{
			Consumer: "c1", K: k, Entry: h.entries["A"], OrderID: "A", Outcome: streamutil.OutcomeThrottled, Status: 429,
			RetryAfter: c.asked, Policy: streamutil.Policy{MaxHold: 2 * time.Minute},
		}), c.want)
		h.tell(story{{"state", "held hold"}, {"later", ""}})
	}
	if f := h.facts(); f["record A strikes"] != "" {
		t.Errorf("strikes: %s", f["record A strikes"])
	}
	h.expect(h.take("c1", 5, 1), "taken A#5")
	h.delivered("c1", 5, "A")
	if _, counted := h.facts()["control throttles"]; counted {
		t.Error("waits go on growing after a delivery")
	}
}

// A shorter wait does not end a longer one.
func TestHoldsDoNotShorten(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 20*time.Millisecond)
	h.submit("A")
	h.submit("B")
	h.take("c1", 1, 2)
	for order, asked := range map[string]time.Duration{"A": time.Hour, "B": time.Minute} {
		h.settleAs(streamutil.Settlement{
			Consumer: "c1", K: 1, Entry: h.entries[order], OrderID: order, Outcome: streamutil.OutcomeThrottled, RetryAfter: asked,
		})
	}
	h.expect(h.take("c1", 2, 1), "blocked hold 1h0m0s")
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.tell(story{
		{"submit A", "accepted"},
		{"unauthorized", "A ok parked, credentials"},
		{"failed", "blocked credentials unknown"},
		{"state", "paused credentials"},
		{"resume", "ended credentials"},
		{"delivered", "A ok delivered"},
	})
	h.tell(story{{"submit B", "accepted"}})
	h.take("c1", 9, 1)
	h.pause(0)
	h.settle("c1", 9, "B", streamutil.OutcomeUnauthorized, 0)
	if p := h.snapshot().Pause; p == nil || p.Reason != "paused" || p.By != operator {
		t.Errorf("an operator's pause was written over: %+v", p)
	}
}
