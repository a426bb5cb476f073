package campaign

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/partner"
	"orderq/streamutil"
)

const (
	ms = int64(time.Millisecond)
	// boot keeps stamps away from 0, which would be no stamp.
	boot = 1000 * ms
)

// good is the evidence of three orders, one a retried one, that broke nothing.
func good() Evidence {
	e := Evidence{
		Interval: 100 * time.Millisecond, InOrder: true,
		Accepted: map[string]Submission{}, States: map[string]streamutil.State{},
		Calls: []partner.Call{call("a", 1, 0, 50), call("b", 1, 100, 900), call("c", 1, 200, 210), call("b", 2, 900, 910)},
		Final: streamutil.Snapshot{Totals: streamutil.Totals{Accepted: 3, Delivered: 3}},
	}
	e.Calls[1].Status = 500
	for i, id := range []string{"a", "b", "c"} {
		e.Accepted[id] = Submission{Entry: streamutil.EntryID{Ms: uint64(i + 1)}, BodySHA: "of " + id}
		e.States[id] = streamutil.Delivered
	}
	return e
}

// call is one that was taken, from and to milliseconds, and arrived a
// millisecond after its start.
func call(id string, attempt int, from, to int64) partner.Call {
	return partner.Call{
		OrderID: id, Attempt: attempt, Key: id, BodySHA: "of " + id, Status: 200,
		Sent: boot + from*ms, Arrived: boot + (from+1)*ms, Ended: boot + to*ms,
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		harm func(e *Evidence)
		want []Kind
	}{
		{"nothing broken", func(*Evidence) {}, nil},
		{"an accepted order was never called", func(e *Evidence) { e.Calls = e.Calls[:2] }, []Kind{Lost, Lost}},
		{"an order was called and never taken", func(e *Evidence) { e.Calls[2].Status = 0 }, []Kind{Lost}},
		{"taken, but the record says parked", func(e *Evidence) { e.States["b"] = streamutil.Parked }, []Kind{NotFinal}},
		{"taken, but the record is gone", func(e *Evidence) { delete(e.States, "a") }, []Kind{NotFinal}},
		{"two calls for one order at once", func(e *Evidence) { e.Calls[1].Ended = boot + 902*ms }, []Kind{Overlap}},
		{"after one whose end was not seen", func(e *Evidence) { e.Calls[1].Ended = 0 }, []Kind{Overlap}},
		{"two calls of different orders at once", func(e *Evidence) { e.Calls[0].Ended = boot + 800*ms }, nil},
		{"starts one nanosecond too close", func(e *Evidence) { e.Calls[2].Sent-- }, []Kind{TooClose}},
		{"arrivals too close do not count", func(e *Evidence) { e.Calls[2].Arrived = boot + 120*ms }, nil},
		{"no pace asked for", func(e *Evidence) { e.Calls[2].Sent--; e.Interval = 0 }, nil},
		{"another key", func(e *Evidence) { e.Calls[0].Key = "x" }, []Kind{Altered}},
		{"another key on the retry", func(e *Evidence) { e.Calls[3].Key = "x" }, []Kind{Altered, Altered}},
		{"another body on the retry", func(e *Evidence) { e.Calls[3].BodySHA = "x" }, []Kind{Altered, Altered}},
		{"another body every time", func(e *Evidence) { e.Calls[0].BodySHA = "x" }, []Kind{Altered}},
		{"an order nobody posted", func(e *Evidence) { e.Calls = append(e.Calls, call("x", 1, 1100, 1200)) }, []Kind{Stranger}},
		{"a call without a stamp", func(e *Evidence) { e.Calls[0].Sent = 0; e.Interval = 0 }, []Kind{Unstamped}},
		{"one attempt number twice", func(e *Evidence) { e.Calls[3].Attempt = 1 }, []Kind{Recounted}},
		{"taken again after it was taken", func(e *Evidence) { e.Calls = append(e.Calls, call("a", 2, 1100, 1200)) }, nil},
		{"out of order", func(e *Evidence) { swapEntries(e, "a", "c") }, []Kind{Overtaken, Overtaken}},
		{"out of order, where that may be", func(e *Evidence) { swapEntries(e, "a", "c"); e.InOrder = false }, nil},
		{"something is pending", func(e *Evidence) { e.Final.Length, e.Final.InFlight = 1, 1 }, []Kind{Leftover}},
		{"a dead letter", func(e *Evidence) { e.Final.Dead = 1 }, []Kind{Leftover}},
		{"three consumers died with an order", func(e *Evidence) { poison(e, "c"); e.Deaths = 3 }, nil},
		{"poison, but only two consumers died", func(e *Evidence) { poison(e, "c"); e.Deaths = 2 }, []Kind{Lost, NotFinal, Leftover, Miscount}},
		{"poison, but its record says delivered", func(e *Evidence) {
			poison(e, "c")
			e.Deaths, e.States["c"] = 3, streamutil.Delivered
		}, []Kind{NotFinal}},
		{"dead for another reason", func(e *Evidence) { poison(e, "c"); e.Deaths, e.Poison = 3, nil }, []Kind{Lost, NotFinal, Leftover, Miscount}},
		{"one order finished twice", func(e *Evidence) { e.Final.Totals.Delivered = 4 }, []Kind{Miscount}},
		{"one order finished in two ways", func(e *Evidence) { e.Final.Totals.Dead = 1 }, []Kind{Miscount}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := good()
			tt.harm(&e)
			var got []Kind
			r := Check(e)
			for _, v := range r.Violations {
				got = append(got, v.Kind)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("kinds (-want +got):\n%s%v", diff, r)
			}
		})
	}
}

// poison is what is left behind of an order with which consumers died.
func poison(e *Evidence, id string) {
	for i := range e.Calls {
		if e.Calls[i].OrderID == id {
			e.Calls[i].Status = 0
		}
	}
	e.Poison = map[string]bool{id: true}
	e.States[id] = streamutil.Dead
	e.Final.Dead = 1
	e.Final.Totals.Delivered--
	e.Final.Totals.Dead++
}

func swapEntries(e *Evidence, a, b string) {
	x, y := e.Accepted[a], e.Accepted[b]
	x.Entry, y.Entry = y.Entry, x.Entry
	e.Accepted[a], e.Accepted[b] = x, y
}

func TestOvertakingsAreCounted(t *testing.T) {
	e := good()
	swapEntries(&e, "a", "b")
	e.InOrder = false
	if r := Check(e); r.Overtakings != 1 || r.Count(Overtaken) != 0 {
		t.Errorf("got %d overtakings: %v", r.Overtakings, r)
	}
}

func TestPlanIsRepeatable(t *testing.T) {
	p := Plan{
		Seed: 7, Span: 10 * time.Second, Consumers: 4, Kills: 20, Freezes: 30, RedisKills: 2, ProducerKills: 1,
		FreezeAtLeast: 20 * time.Millisecond, FreezeUpTo: 400 * time.Millisecond, DownUpTo: 300 * time.Millisecond,
	}
	steps := p.Steps()
	if diff := cmp.Diff(steps, p.Steps()); diff != "" {
		t.Errorf("the same seed gave another plan:\n%s", diff)
	}
	other := p
	other.Seed++
	if cmp.Equal(steps, other.Steps()) {
		t.Error("another seed gave the same plan")
	}
	if !slices.IsSortedFunc(steps, func(a, b Step) int { return int(a.At - b.At) }) {
		t.Errorf("not in the order of time: %v", steps)
	}
	count, begun := map[Action]int{}, map[int]Step{}
	for _, s := range steps {
		count[s.Action]++
		first, ended := begun[s.Fault]
		if !ended {
			begun[s.Fault] = s
			continue
		}
		if lasts := s.At - first.At; s.Action == Thaw && (lasts < p.FreezeAtLeast || lasts > p.FreezeUpTo) {
			t.Errorf("frozen for %v", lasts)
		}
		if s.Victim != first.Victim {
			t.Errorf("fault %d hits %d and ends at %d", s.Fault, first.Victim, s.Victim)
		}
	}
	want := map[Action]int{
		KillConsumer: 20, StartConsumer: 20, Freeze: 30, Thaw: 30,
		KillRedis: 2, StartRedis: 2, KillProducer: 1, StartProducer: 1,
	}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}
