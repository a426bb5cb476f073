package campaign

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/streamutil"
)

// phase is a part of an outage.
type phase struct {
	name   string
	lasts  time.Duration
	answer reply // nil where nobody listens
	calls  int   // that came in it
}

// mostCalls bounds the calls of a phase: what was in flight when it began, and
// few probes.
const mostCalls = 16

// outages gives the outages to go through: short ones, or with
// ORDERQ_TEST_OUTAGE_SECONDS such as a partner may really have.
func outages(t *testing.T) (map[string][]phase, streamutil.Pace) {
	t.Helper()
	const short = 4 * time.Second
	long := outageSeconds(t, short)
	pace := streamutil.Every(100 * time.Millisecond)
	if long > short {
		pace = streamutil.Every(500 * time.Millisecond)
	}
	wait := max(long/6, 2*time.Second).Round(time.Second)
	unavailable := phase{name: "503", lasts: long, answer: says(http.StatusServiceUnavailable)}
	throttled := phase{
		name: "429, Retry-After " + wait.String(), lasts: 3 * wait / 2,
		answer: says(http.StatusTooManyRequests, "Retry-After", strconv.Itoa(int(wait.Seconds()))),
	}
	hanging := phase{name: "hangs", lasts: long, answer: hangs}
	return map[string][]phase{
		"all in turn": {unavailable, throttled, hanging},
		"500":         {{name: "500", lasts: long, answer: says(http.StatusInternalServerError)}},
		"resets":      {{name: "resets", lasts: long, answer: drops}},
		"refuses":     {{name: "refuses", lasts: long}},
	}, pace
}

// outageSeconds is how long an outage lasts: ORDERQ_TEST_OUTAGE_SECONDS, or the
// short form.
func outageSeconds(t *testing.T, short time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("ORDERQ_TEST_OUTAGE_SECONDS")
	if text == "" {
		return short
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 1 {
		t.Fatalf("ORDERQ_TEST_OUTAGE_SECONDS: %q, want a number above 0", text)
	}
	return time.Duration(seconds) * time.Second
}

// TestOutage lets the partner fail in every way while orders come in. That must
// cost nothing but time: no strikes, nothing dead, orders kept in their order
// but for a probe. How few calls are made meanwhile, and how soon sending goes
// on, is reported.
func TestOutage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	all, pace := outages(t)
	for name, phases := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			passOutage(t, pace, phases)
		})
	}
}

func passOutage(t *testing.T, pace streamutil.Pace, phases []phase) {
	var mood atomic.Pointer[reply]
	s := newSystem(t, setup{
		Consumers: 3, Pace: pace.String(), Lease: 3 * time.Second, Timeout: time.Second, MaxInFlight: 10,
		Respond: func(partner.Call) partner.Response {
			if answer := mood.Load(); answer != nil {
				return (*answer)()
			}
			return partner.Response{Delay: 20 * time.Millisecond}
		},
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	stop := shop.keepPosting(ctx, max(2*pace.Interval(), 500*time.Millisecond))
	s.awaitCalls(3)
	for i := range phases {
		p := &phases[i]
		seen := s.partner.Seen()
		if mood.Store(&p.answer); p.answer == nil {
			s.api.Close()
		}
		wait(t, p.lasts)
		p.calls = s.partner.Seen() - seen
		if p.calls > mostCalls {
			t.Errorf("%s: %d calls in %v, want %d at most", p.name, p.calls, p.lasts, mostCalls)
		}
	}
	mood.Store(nil)
	if phases[len(phases)-1].answer == nil {
		openPort(s)
	}
	works := partner.Now()
	resumed := s.awaitAccepted(works) - works
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	e := s.finish(ctx, shop, 3*time.Minute)
	e.Interval, e.InOrder = pace.Interval(), true
	s.judgeOutage(e, phases, time.Duration(resumed))
}

// awaitAccepted waits for the first call after a moment that the partner took,
// and tells when it began.
func (s *system) awaitAccepted(since int64) (at int64) {
	s.t.Helper()
	await(s.t, 2*time.Minute, "a call is taken again", func() bool {
		calls := s.partner.Calls()
		i := slices.IndexFunc(calls, func(c partner.Call) bool { return c.Arrived > since && c.Accepted() })
		if i >= 0 {
			at = calls[i].Arrived
		}
		return i >= 0
	})
	return at
}

func (s *system) judgeOutage(e Evidence, phases []phase, resumed time.Duration) {
	s.t.Helper()
	r := Check(e)
	strikes := 0
	for id := range e.Accepted {
		strikes += s.strikes(id)
	}
	ahead := overtakers(e)
	var words []string
	for _, p := range phases {
		words = append(words, fmt.Sprintf("%s for %v: %d calls", p.name, p.lasts, p.calls))
	}
	report(s.t, "%s; sending went on %v after; %d orders, %d strikes, %d dead, %d lost, %d delivered before an earlier one",
		strings.Join(words, "; "), resumed.Round(time.Millisecond), len(e.Accepted), strikes, e.Final.Dead, r.Count(Lost), len(ahead))
	if len(r.Violations) > 0 {
		s.t.Errorf("promises broken: %v", r)
	}
	if strikes > 0 {
		s.t.Errorf("an outage cost %d strikes", strikes)
	}
	if len(ahead) > 1 {
		s.t.Errorf("delivered before earlier ones: %v, want one probe at most", ahead)
	}
}

// overtakers lists the orders that were delivered before one accepted earlier.
func overtakers(e Evidence) []string {
	var delivered []string
	for _, c := range slices.SortedFunc(slices.Values(e.Calls), byStart) {
		if c.Accepted() {
			delivered = append(delivered, c.OrderID)
		}
	}
	var ahead []string
	for i, id := range delivered {
		if slices.ContainsFunc(delivered[i+1:], func(later string) bool {
			return e.Accepted[later].Entry.Compare(e.Accepted[id].Entry) < 0
		}) {
			ahead = append(ahead, id)
		}
	}
	return ahead
}
