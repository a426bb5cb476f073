package streamutil_test

import (
	"encoding/json"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// newBench gives a queue with one consumer, and its next take.
func newBench(t *testing.T) (*streamutil.Queue, *redistest.Server, func(k int64) streamutil.Taken) {
	srv := redistest.Shared(t)
	c := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}})
	t.Cleanup(c.Close)
	q, err := streamutil.NewQueue(c, streamutil.QueueConfig{Name: redistest.QueueName(t)})
	if err != nil {
		t.Fatal(err)
	}
	slot, err := q.Register(t.Context(), streamutil.Identity{Name: "c", Pace: streamutil.Every(time.Second), Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return q, srv, func(k int64) streamutil.Taken {
		t.Helper()
		taken, err := q.Take(t.Context(), streamutil.Take{Consumer: "c", K: k, N: 1, Epoch: slot.Epoch, Slot: slot.Number})
		if err != nil {
			t.Fatal(err)
		}
		slot = taken.Slot
		return taken
	}
}

// TestDueIndexDeletedByHand: what is parked by the stream's own account is found
// again, and does not count as in flight for good.
func TestDueIndexDeletedByHand(t *testing.T) {
	q, srv, take := newBench(t)
	if _, err := q.Enqueue(t.Context(), streamutil.NewOrder{ID: "A", Body: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	o := take(1).Orders[0]
	if _, err := q.Settle(t.Context(), streamutil.Settlement{
		Consumer: "c", K: 1, Entry: o.Entry, OrderID: o.ID, Outcome: streamutil.OutcomeFailed, Delay: time.Hour,
	}); err != nil {
		t.Fatal(err)
	}
	srv.CLI("DEL", "orderq:{"+q.Name()+"}:due")
	again := take(2)
	if again.Verdict != streamutil.VerdictTaken || again.Orders[0].ID != "A" || again.Orders[0].Attempt != 2 {
		t.Errorf("got %+v, want the order's second attempt", again)
	}
}

// TestUndecodableKeepsAllThatWasInIt: nobody knows what a stray entry was for.
func TestUndecodableKeepsAllThatWasInIt(t *testing.T) {
	q, srv, take := newBench(t)
	srv.CLI("XADD", "orderq:{"+q.Name()+"}:stream", "*", "foo", "pay\"load", "bar", "2")
	if got := take(1).Verdict; got != streamutil.VerdictEmpty {
		t.Fatalf("verdict %s, want empty", got)
	}
	letters, err := srv.Do("XRANGE", "orderq:{"+q.Name()+"}:dead", "-", "+")
	if err != nil {
		t.Fatal(err)
	}
	fields := letters.([]any)[0].([]any)[1].([]any)
	var raw map[string]string
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "raw" {
			if err := json.Unmarshal([]byte(fields[i+1].(string)), &raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	if raw["foo"] != `pay"load` || raw["bar"] != "2" {
		t.Errorf("the dead letter keeps %v", raw)
	}
}

// TestReplicaIsNamed: a read-only replica is no place for a queue, and says so.
func TestReplicaIsNamed(t *testing.T) {
	srv := redistest.Start(t)
	c := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}})
	t.Cleanup(c.Close)
	q, err := streamutil.NewQueue(c, streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Ping(t.Context()); err != nil {
		t.Fatalf("a master: %v", err)
	}
	srv.CLI("REPLICAOF", "127.0.0.1", "1")
	if err := q.Ping(t.Context()); streamutil.ErrorKind(err) != "readonly" {
		t.Errorf("ping: %v, kind %q", err, streamutil.ErrorKind(err))
	}
	s, err := q.Inspect(t.Context())
	if err != nil || s.State != streamutil.QueueStalled || s.Blocked != "redis" {
		t.Errorf("inspect: %s (%s), %v", s.State, s.Blocked, err)
	}
}
