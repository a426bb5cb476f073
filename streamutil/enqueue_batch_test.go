package streamutil_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func newOrders(ids ...string) []streamutil.NewOrder {
	orders := make([]streamutil.NewOrder, len(ids))
	for i, id := range ids {
		orders[i] = streamutil.NewOrder{ID: id, Body: []byte(`{"of":"` + id + `"}`)}
	}
	return orders
}

// batch says in short what became of each order.
func (h *harness) batch(orders []streamutil.NewOrder) []string {
	h.t.Helper()
	var all []string
	for i, s := range h.q.EnqueueBatch(h.t.Context(), orders) {
		what := "accepted"
		switch {
		case errors.Is(s.Err, streamutil.ErrConflict):
			what = "conflict"
		case errors.Is(s.Err, streamutil.ErrFull):
			what = "full"
		case errors.Is(s.Err, streamutil.ErrMemory):
			what = "memory"
		case s.Err != nil:
			what = "error"
		case s.Duplicate:
			what = "duplicate"
		}
		all = append(all, orders[i].ID+" "+what+" "+string(s.State))
	}
	return all
}

func (h *harness) wantBatch(orders []streamutil.NewOrder, want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.batch(orders)); diff != "" {
		h.t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEnqueueBatch(t *testing.T) {
	h := newHarness(t)
	h.submit("A")
	other := streamutil.NewOrder{ID: "B", Body: []byte(`{}`)}
	h.wantBatch(append(newOrders("A", "B", "B"), other, newOrders("C")[0]),
		"A duplicate waiting", "B accepted waiting", "B duplicate waiting", "B conflict waiting", "C accepted waiting")
	if got := h.batch(nil); len(got) != 0 {
		t.Errorf("of no orders: %v", got)
	}
	s := h.snapshot()
	if s.Length != 3 || s.Totals.Accepted != 3 {
		t.Errorf("%d in the queue, %d accepted; want 3 and 3", s.Length, s.Totals.Accepted)
	}
	// Numbers go on, so that places stay right.
	h.expect(h.submit("D"), "accepted D waiting position=4")
}

// A batch of several chunks is in the queue as it was given, whatever their bounds.
func TestEnqueueBatchOfManyChunks(t *testing.T) {
	h := newHarness(t)
	var orders []streamutil.NewOrder
	for i := range 250 {
		o := newOrders(fmt.Sprintf("O-%03d", i))[0]
		if i%40 == 0 {
			o.Body = []byte(strings.Repeat("x", 700<<10))
		}
		orders = append(orders, o)
	}
	for _, s := range h.q.EnqueueBatch(t.Context(), orders) {
		if s.Err != nil {
			t.Fatal(s.Err)
		}
	}
	for i, o := range orders {
		rec, err := h.q.Lookup(t.Context(), o.ID)
		if err != nil || rec.Place.Position != int64(i+1) {
			t.Fatalf("%s stands at %d (%v), want %d", o.ID, rec.Place.Position, err, i+1)
		}
	}
}

func TestEnqueueBatchIntoAFullQueue(t *testing.T) {
	h := harnessOn(t, redistest.Shared(t), streamutil.ClientConfig{}, streamutil.QueueConfig{MaxBacklog: 2})
	h.wantBatch(newOrders("A", "B", "C", "A"), "A accepted waiting", "B accepted waiting", "C full ", "A duplicate waiting")
}

// At full memory what is known is recognised, before and after what is refused.
func TestEnqueueBatchAtFullMemory(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--maxmemory-policy", "noeviction")
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	h.submit("A")
	h.redis("CONFIG", "SET", "maxmemory", "1mb")
	conflict := streamutil.NewOrder{ID: "A", Body: []byte(`{}`)}
	h.wantBatch(append([]streamutil.NewOrder{conflict}, newOrders("B", "C", "A")...),
		"A conflict waiting", "B memory ", "C memory ", "A duplicate waiting")
	if s := h.snapshot(); s.Length != 1 {
		t.Errorf("%d in the queue", s.Length)
	}
}

// A record that somebody wrote over is that order's trouble and no other's.
func TestEnqueueBatchWithARecordThatIsNone(t *testing.T) {
	h := newHarness(t)
	h.redis("SET", h.key("order:B"), "x")
	h.wantBatch(newOrders("A", "B", "C"), "A accepted waiting", "B error ", "C accepted waiting")
}

// Once Redis is lost, nothing behind is tried: it would come before what is
// repeated.
func TestEnqueueBatchStopsWhereRedisIsLost(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	h.submit("A")
	srv.Kill()
	ids := make([]string, 201)
	for i := range ids {
		ids[i] = fmt.Sprint("O-", i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := h.q.EnqueueBatch(ctx, newOrders(ids...))
	if len(got) != len(ids) {
		t.Fatalf("%d answers for %d orders", len(got), len(ids))
	}
	for i, s := range got {
		if !errors.Is(s.Err, streamutil.ErrUnavailable) {
			t.Errorf("order %d: %v", i, s.Err)
		}
	}
}

func TestEnqueueBatchThatIsNotConfirmed(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, durable(t, "replicas=1"), streamutil.QueueConfig{})
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = fmt.Sprint("O-", i)
	}
	got := h.q.EnqueueBatch(t.Context(), newOrders(ids...))
	if first, last := got[0].Err, got[100].Err; !errors.Is(first, streamutil.ErrNotConfirmed) || !errors.Is(last, streamutil.ErrUnavailable) {
		t.Errorf("the first: %v, the last: %v", first, last)
	}
	if s := h.snapshot(); s.Length != 100 {
		t.Errorf("%d in the queue; those of the next chunk were tried", s.Length)
	}
}

func TestReceiptNamesItsDurability(t *testing.T) {
	h := newHarness(t)
	r, err := h.q.Enqueue(t.Context(), newOrders("A")[0])
	if err != nil || r.Durability.String() != "memory" {
		t.Errorf("got %v, %v", r.Durability, err)
	}
}
