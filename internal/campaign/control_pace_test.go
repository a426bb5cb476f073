package campaign

import (
	"slices"
	"strings"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/streamutil"
)

func controlPace(t *testing.T) {
	const slow, fast = 500 * time.Millisecond, 100 * time.Millisecond
	s := newControl(t, setup{Consumers: 2, Pace: "2/s"}, 1000)
	s.startConsumers()
	s.awaitCalls(3)
	began, ended := s.command("pace", "10/s", "--for", "3s", "--reason", "a test")
	effective(t, "pace 10/s over 2/s", s.awaitClose(began, slow/2))
	wait(t, 3*time.Second)
	ends := ended + int64(3*time.Second)
	wait(t, time.Second)
	effective(t, "end of --for 3s", s.lastClose(ends, slow))
	began = partner.Now()
	s.awaitCalls(3)
	if late := s.lastClose(began, slow); late > 0 {
		t.Errorf("two calls less than %v apart, %v after the pace had ended", slow, late)
	}

	s.command("pace", "10/s")
	s.awaitCalls(5)
	_, ended = s.command("pace", "reset")
	s.awaitCalls(4)
	effective(t, "pace reset", s.lastClose(ended, slow))
	if err := partner.Check(s.partner.Calls(), fast).Err(); err != nil {
		t.Error(err)
	}
}

// controlSlowPace: who waits for a slot that is an hour away must hear of a
// faster pace all the same.
func controlSlowPace(t *testing.T) {
	s := newControl(t, setup{Consumers: 2, Pace: "1/h"}, 30)
	s.startConsumers()
	s.awaitPace(time.Hour)
	wait(t, 2*time.Second)
	if n := s.partner.Seen(); n > 1 {
		t.Fatalf("%d calls at 1/h", n)
	}
	since, _ := s.command("pace", "10/s")
	effective(t, "pace 10/s over 1/h", s.awaitCall(since))
	s.awaitEmpty(20 * time.Second)
	if err := partner.Check(s.partner.Calls(), 100*time.Millisecond).Err(); err != nil {
		t.Error(err)
	}
}

// controlPaces gives every process a pace of its own: the slowest that lives
// counts.
func controlPaces(t *testing.T) {
	s := newControl(t, setup{Consumers: 3, Pace: "20/s"}, 1000)
	s.consumers[1].set("consumer.pace=5/s")
	s.consumers[2].set("consumer.pace=2/s")
	s.consumers[0].start()
	s.awaitPace(50 * time.Millisecond)
	s.awaitCalls(5)

	s.consumers[2].start()
	s.awaitPace(500 * time.Millisecond)
	since := partner.Now()
	s.consumers[1].start()
	s.awaitCalls(5)
	effective(t, "a slower process comes", s.lastClose(since, 500*time.Millisecond))

	if err := s.consumers[2].terminate(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	left := partner.Now()
	effective(t, "the slowest process leaves", s.awaitClose(left, 400*time.Millisecond))
	s.awaitCalls(5)
	if late := s.lastClose(left, 200*time.Millisecond); late > 0 {
		t.Errorf("two calls less than 200ms apart, although the next slowest asks for that")
	}

	s.consumers[1].kill()
	killed := partner.Now()
	took := s.awaitClose(killed, 150*time.Millisecond)
	report(t, "the next slowest is killed, with a lease of 3s: in effect after %v", took.Round(time.Millisecond))
	if took < 2*time.Second || took > 3*time.Second+effectWithin {
		t.Errorf("in effect after %v: want a lease, and not much more", took)
	}
	if err := partner.Check(s.partner.Calls(), 50*time.Millisecond).Err(); err != nil {
		t.Error(err)
	}
}

// awaitPace waits until an interval is in force.
func (s *system) awaitPace(want time.Duration) {
	s.t.Helper()
	await(s.t, 10*time.Second, "the pace is one call in "+want.String(), func() bool {
		snap, ok := s.inspect()
		return ok && snap.PaceKnown && snap.Pace == want
	})
}

// controlUnlimited: with no pace nobody counts slots, and from the moment there
// is one no call may be handed out that comes close to another.
func controlUnlimited(t *testing.T) {
	const interval = 100 * time.Millisecond
	s := newControl(t, setup{
		Consumers: 3, Pace: "unlimited", MaxInFlight: 30,
		Respond: func(partner.Call) partner.Response { return partner.Response{Delay: 50 * time.Millisecond} },
	}, 4000)
	s.startConsumers()
	s.awaitCalls(500)
	began, _ := s.command("pace", "10/s")
	seen := s.partner.Seen()
	s.awaitCalls(20)
	switched, late := s.paceChanged(), 0
	calls := slices.SortedFunc(slices.Values(s.partner.Calls()), byStart)
	for i := 1; i < len(calls); i++ {
		if gap := calls[i].Start() - calls[i-1].Start(); calls[i].Arrived < began || gap >= int64(interval) {
			continue
		}
		if rec, err := s.queue.Lookup(t.Context(), calls[i].OrderID); err != nil || rec.Taken.After(switched) {
			late++
			t.Errorf("a call handed out %v after the switch began %v after another (%v)",
				rec.Taken.Sub(switched), time.Duration(calls[i].Start()-calls[i-1].Start()), err)
		}
	}
	report(t, "unlimited, then 10/s: %d calls before, %d of those handed out since came too close", seen, late)
}

// paceChanged is when the pace was set last, by Redis's clock.
func (s *system) paceChanged() time.Time {
	s.t.Helper()
	lines := strings.Split(s.redis.CLI("XREVRANGE", s.key("log"), "+", "-", "COUNT", "200"), "\n")
	for i := 1; i+1 < len(lines); i++ {
		if lines[i] == "what" && lines[i+1] == "pace" {
			id, err := streamutil.ParseEntryID(lines[i-1])
			if err != nil {
				s.t.Fatal(err)
			}
			return id.Time()
		}
	}
	s.t.Fatal("the log knows of no pace")
	return time.Time{}
}
