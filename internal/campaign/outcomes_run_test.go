package campaign

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/partner"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// noticedWithin is how soon the queue and the metrics name a reason.
const noticedWithin = 2 * time.Second

// blockedStates are the queue's states in words, by why nothing is sent.
var blockedStates = map[string]streamutil.QueueState{
	"hold": streamutil.QueueHeld, "breaker": streamutil.QueueHeld, "credentials": streamutil.QueuePaused,
}

// outcomeTest is one thing that a partner does to the first orders of a queue,
// and all that must follow.
type outcomeTest struct {
	name      string
	consumers int // 0 is one
	settings  []string
	answers   script
	before    func(*system) // the consumers start
	during    func(*system) // once blocked is seen, if that is said

	// blocked is why nothing is sent after the first call, meanwhile what is
	// known of order A then, and hold and holdMost for how long.
	blocked        string
	meanwhile      *fate
	hold, holdMost time.Duration
	// quiet is how long after the end of an order's call the next one comes.
	quiet time.Duration

	calls     string // all of them, as in "A1 A2 B1"; empty leaves retries their freedom
	want      map[string]fate
	uncounted bool // how many attempts there are is a matter of time
	letters   []letter
	outcomes  counts // of all attempts; nil where their process died
}

// fate is what is known of an order.
type fate struct {
	State    streamutil.State
	Attempts int
	Outcome  streamutil.Outcome // of the last attempt
	Status   int                // of the partner's last answer
	Strikes  int
}

// letter is the part of a dead letter that a row of the table fixes.
type letter struct {
	OrderID, Reason string
	Status          int
	Answer          string
	Attempts        int
}

// counts are numbers of attempts by what they meant.
type counts map[streamutil.Outcome]int

func (tt outcomeTest) run(t *testing.T) {
	s := newSystem(t, setup{
		Redis: redistest.Shared(t), Queue: redistest.QueueName(t), Consumers: max(tt.consumers, 1),
		Pace: "5/s", Lease: 3 * time.Second, Timeout: time.Second, MaxInFlight: 10, Respond: tt.answers.respond(),
	})
	if err := os.WriteFile(tokenFile(s), []byte("old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.set("consumer.api.token_file=" + tokenFile(s))
	s.set(tt.settings...)
	s.consumers[0].serveMetrics()
	s.startProducer()
	shop := newShop(s.url)
	s.post(shop, slices.Sorted(maps.Keys(tt.want))...)
	if tt.before != nil {
		tt.before(s)
	}
	s.startConsumers()
	if tt.blocked != "" {
		tt.notice(s)
	}
	if tt.during != nil {
		tt.during(s)
	}
	s.awaitEmpty(20 * time.Second)
	tt.judge(s, shop)
}

// notice waits until everybody says why nothing is sent.
func (tt outcomeTest) notice(s *system) {
	s.t.Helper()
	queue, metric := s.awaitNamed(tt.blocked, blockedStates[tt.blocked])
	began := min(queue, metric)
	if calls := s.partner.Calls(); len(calls) > 0 {
		began = calls[0].Ended
	}
	since := func(at int64) time.Duration { return time.Duration(at - began).Round(time.Millisecond) }
	report(s.t, "%s: said by the queue after %v, by the metric after %v", tt.blocked, since(queue), since(metric))
	if max(since(queue), since(metric)) > noticedWithin {
		s.t.Errorf("not within %v", noticedWithin)
	}
	if got := s.fate("A", tt.uncounted); got != *tt.meanwhile {
		s.t.Errorf("meanwhile order A is %+v, want %+v", got, *tt.meanwhile)
	}
}

// fate looks an order up, as a shop does, and its strikes.
func (s *system) fate(id string, uncounted bool) fate {
	s.t.Helper()
	l, err := s.lookup(id)
	if err != nil {
		s.t.Fatal(err)
	}
	if uncounted {
		l.Attempts = 0
	}
	return fate{State: l.State, Attempts: l.Attempts, Outcome: l.LastAnswer.Outcome, Status: l.LastAnswer.Status, Strikes: s.strikes(id)}
}

// awaitFirst waits for the first call for an order.
func (s *system) awaitFirst(id string) partner.Call {
	s.t.Helper()
	var found partner.Call
	await(s.t, 10*time.Second, "a call for "+id, func() bool {
		i := slices.IndexFunc(s.partner.Calls(), func(c partner.Call) bool { return c.OrderID == id })
		if i >= 0 {
			found = s.partner.Calls()[i]
		}
		return i >= 0
	})
	return found
}

// judge looks at what is left behind.
func (tt outcomeTest) judge(s *system, shop *shop) {
	s.t.Helper()
	got := map[string]fate{}
	for id := range tt.want {
		got[id] = s.fate(id, tt.uncounted)
	}
	want := maps.Clone(tt.want)
	for id, f := range want {
		if tt.uncounted {
			f.Attempts = 0
			want[id] = f
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("orders (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(tt.letters, s.letters()); diff != "" {
		s.t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	calls := s.partner.Calls()
	slices.SortFunc(calls, byStart)
	r := Check(Evidence{Interval: 200 * time.Millisecond, InOrder: true, Accepted: shop.accepted, Calls: calls})
	for _, v := range r.Violations {
		if v.Kind == Overlap || v.Kind == TooClose || v.Kind == Altered || v.Kind == Recounted || v.Kind == Overtaken || v.Kind == Stranger {
			s.t.Errorf("%s: %s", v.Kind, v.Detail)
		}
	}
	if got := sequence(calls); tt.calls != "" && got != tt.calls {
		s.t.Errorf("calls %s, want %s", got, tt.calls)
	}
	tt.judgeTimes(s.t, calls)
	if tt.outcomes == nil {
		return
	}
	await(s.t, 2*time.Second, fmt.Sprintf("the metrics count %v", tt.outcomes), func() bool {
		return cmp.Equal(tt.outcomes, s.countOutcomes())
	})
}

// noticedLate is how much later than the caller a partner on a busy machine may
// see the end of a call.
const noticedLate = 100 * time.Millisecond

// judgeTimes looks at how long calls had to wait.
func (tt outcomeTest) judgeTimes(t *testing.T, calls []partner.Call) {
	t.Helper()
	if tt.hold > 0 && len(calls) > 1 {
		got := time.Duration(calls[1].Arrived - calls[0].Ended)
		t.Logf("held for %v", got.Round(time.Millisecond))
		if got < tt.hold || got > tt.holdMost {
			t.Errorf("held for %v, want %v to %v", got, tt.hold, tt.holdMost)
		}
	}
	last := map[string]partner.Call{}
	for _, c := range calls {
		// A partner learns late that a caller has gone: the quiet began before that.
		if before, again := last[c.OrderID]; again && time.Duration(c.Arrived-before.Ended) < tt.quiet-noticedLate {
			t.Errorf("order %s was sent again %v after its last call had ended, want %v", c.OrderID, time.Duration(c.Arrived-before.Ended), tt.quiet)
		}
		last[c.OrderID] = c
	}
}

// sequence writes calls as A1 A2 B1.
func sequence(calls []partner.Call) string {
	var words []string
	for _, c := range calls {
		words = append(words, fmt.Sprintf("%s%d", c.OrderID, c.Attempt))
	}
	return strings.Join(words, " ")
}

// letters lists the dead letters.
func (s *system) letters() []letter {
	s.t.Helper()
	all, err := s.queue.DeadLetters(s.t.Context(), streamutil.EntryID{}, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	var letters []letter
	for _, l := range all {
		letters = append(letters, letter{l.OrderID, l.Reason, l.Status, l.Answer, l.Attempts})
	}
	slices.SortFunc(letters, func(a, b letter) int { return strings.Compare(a.OrderID, b.OrderID) })
	return letters
}

// countOutcomes reads how the first consumer counts its attempts.
func (s *system) countOutcomes() counts {
	values, got := s.consumers[0].metrics(), counts{}
	for _, o := range streamutil.Outcomes() {
		if n := values[fmt.Sprintf("orderq_attempts_total{outcome=%q,queue=%q}", string(o), s.setup.Queue)]; n > 0 {
			got[o] = int(n)
		}
	}
	return got
}
