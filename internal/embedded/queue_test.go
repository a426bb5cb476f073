package embedded_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/embedded"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// TestQueueRunsAsOnRedis takes orders through every script on the embedded
// server and on a real one, and expects the same of both.
func TestQueueRunsAsOnRedis(t *testing.T) {
	t.Run("real", func(t *testing.T) { runQueue(t, redistest.Shared(t).Addr()) })
	t.Run("embedded", func(t *testing.T) {
		s, err := embedded.Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		runQueue(t, s.Addr())
	})
}

// life is a consumer's hand on a queue under test.
type life struct {
	*testing.T
	q    *streamutil.Queue
	slot streamutil.Slot
	k    int64
}

func runQueue(t *testing.T, addr string) {
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	defer client.Close()
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: redistest.QueueName(t)})
	if err != nil {
		t.Fatal(err)
	}
	l := &life{T: t, q: q}
	l.must(client.CheckDurability(t.Context()))
	for _, id := range []string{"A-1", "A-2", "A-3"} {
		l.enqueue(id, false)
	}
	l.enqueue("A-2", true)
	l.register("one", "two")
	l.heartbeat("one")
	more, err := q.AwaitEntry(t.Context(), streamutil.EntryID{}, time.Second)
	l.must(err)
	if !more {
		t.Error("AwaitEntry saw nothing")
	}

	first := l.take("one", "A-1", 1)
	l.settle("one", first, streamutil.OutcomeFailed, streamutil.Parked)
	again := l.take("one", "A-1", 2)
	l.settle("one", again, streamutil.OutcomeDelivered, streamutil.Delivered)
	l.expect("A-1", streamutil.Delivered, 2)

	released := l.take("one", "A-2", 1)
	n, err := q.Release(t.Context(), "one", l.k, released.Entry)
	l.must(err)
	if n != 1 {
		t.Errorf("released %d", n)
	}
	rejected := l.take("one", "A-2", 1)
	l.settle("one", rejected, streamutil.OutcomeRejected, streamutil.Dead)

	l.take("one", "A-3", 1)
	gone, err := q.Reclaim(t.Context(), "one", 7, streamutil.Policy{})
	l.must(err)
	if gone.Alive || gone.Due != 1 {
		t.Errorf("reclaim gave %+v", gone)
	}
	l.k = 0
	l.expect("A-3", streamutil.Parked, 1)
	last := l.take("two", "A-3", 2)
	l.settle("two", last, streamutil.OutcomeDelivered, streamutil.Delivered)
	l.finish()
}

func (l *life) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *life) enqueue(id string, duplicate bool) {
	l.Helper()
	r, err := l.q.Enqueue(l.Context(), streamutil.NewOrder{ID: id, Body: []byte(`{"id":"` + id + `"}`)})
	l.must(err)
	if r.Duplicate != duplicate || r.State != streamutil.Waiting || r.Place.Position < 1 {
		l.Errorf("enqueue %s gave %+v", id, r)
	}
}

func (l *life) register(names ...string) {
	l.Helper()
	for _, name := range names {
		slot, err := l.q.Register(l.Context(), streamutil.Identity{
			Name: name, Host: "host", PID: 1, Version: "v", Pace: streamutil.Every(time.Second), Lease: time.Minute,
		})
		l.must(err)
		l.slot = slot
	}
	if !l.slot.Open || l.slot.Interval != time.Second {
		l.Errorf("registered, the slot is %+v", l.slot)
	}
}

func (l *life) heartbeat(name string) {
	l.Helper()
	p, err := l.q.Heartbeat(l.Context(), name, 7, streamutil.Every(time.Second), "")
	l.must(err)
	if len(p.Beats) != 2 || p.Slot.Epoch != l.slot.Epoch {
		l.Errorf("heartbeat gave %+v", p)
	}
}

// take expects the one order that comes next, and confirms its start.
func (l *life) take(name, id string, attempt int) streamutil.Order {
	l.Helper()
	l.k++
	got, err := l.q.Take(l.Context(), streamutil.Take{
		Consumer: name, K: l.k, N: 1, Epoch: l.slot.Epoch, Slot: l.slot.Number,
	})
	l.must(err)
	if len(got.Orders) != 1 || got.Orders[0].ID != id || got.Orders[0].Attempt != attempt {
		l.Fatalf("take gave %+v, want %s attempt %d", got, id, attempt)
	}
	if body := string(got.Orders[0].Body); body != `{"id":"`+id+`"}` {
		l.Errorf("body %q", body)
	}
	pending, err := l.q.Pending(l.Context(), name, streamutil.EntryID{}, 10)
	l.must(err)
	if len(pending) != 1 || pending[0].OrderID != id {
		l.Errorf("pending of %s: %+v", name, pending)
	}
	l.slot, err = l.q.Started(l.Context(), got.Slot.Epoch, got.Slot.Number)
	l.must(err)
	if !l.slot.Started {
		l.Errorf("started gave %+v", l.slot)
	}
	return got.Orders[0]
}

func (l *life) settle(name string, o streamutil.Order, outcome streamutil.Outcome, want streamutil.State) {
	l.Helper()
	s, err := l.q.Settle(l.Context(), streamutil.Settlement{
		Consumer: name, K: l.k, Entry: o.Entry, OrderID: o.ID, Outcome: outcome, Status: 200, Answer: "text",
	})
	l.must(err)
	if s.State != want || s.Stray {
		l.Errorf("settling %s as %s gave %+v, want %s", o.ID, outcome, s, want)
	}
}

func (l *life) expect(id string, state streamutil.State, attempts int) {
	l.Helper()
	r, err := l.q.Lookup(l.Context(), id)
	l.must(err)
	if r.State != state || r.Attempts != attempts || r.Accepted.IsZero() {
		l.Errorf("%s is %+v, want %s after %d attempts", id, r, state, attempts)
	}
}

// finish takes leave and compares what is left with what must be.
func (l *life) finish() {
	l.Helper()
	left, err := l.q.Leave(l.Context(), "two")
	l.must(err)
	s, err := l.q.Inspect(l.Context())
	l.must(err)
	type rest struct {
		left                          int
		length, waiting, parked, dead int64
		consumers                     int
		totals                        streamutil.Totals
		state                         streamutil.QueueState
	}
	got := rest{left, s.Length, s.Waiting, s.Parked, s.Dead, len(s.Consumers), s.Totals, s.State}
	want := rest{dead: 1, totals: streamutil.Totals{Accepted: 3, Delivered: 2, Dead: 1}, state: streamutil.QueueIdle}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(rest{})); diff != "" {
		l.Errorf("at the end (-want +got):\n%s", diff)
	}
}
