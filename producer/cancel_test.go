package producer_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

func (s *shop) delete(path string) reply {
	s.t.Helper()
	return s.send(http.MethodDelete, path, nil)
}

// take hands out the next order.
func take(t *testing.T, q *streamutil.Queue) streamutil.Order {
	t.Helper()
	slot, err := q.Register(t.Context(), streamutil.Identity{Name: "c", Pace: streamutil.Every(time.Second), Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := q.Take(t.Context(), streamutil.Take{Consumer: "c", K: 1, N: 1, Epoch: slot.Epoch, Slot: slot.Number})
	if err != nil || len(taken.Orders) != 1 {
		t.Fatalf("take: %v, %+v", err, taken)
	}
	return taken.Orders[0]
}

// settle ends the attempt that take began.
func settle(t *testing.T, q *streamutil.Queue, s streamutil.Settlement) {
	t.Helper()
	o := take(t, q)
	s.Consumer, s.K, s.Entry, s.OrderID = "c", 1, o.Entry, o.ID
	if _, err := q.Settle(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func reject(t *testing.T, q *streamutil.Queue, answer string) {
	t.Helper()
	settle(t, q, streamutil.Settlement{Outcome: streamutil.OutcomeRejected, Status: 400, Answer: answer})
}

func TestCancel(t *testing.T) {
	for _, tt := range []struct {
		name  string
		given func(*testing.T, *shop)
		want  map[string]any // of the answer
		code  int
	}{
		{"waiting", func(*testing.T, *shop) {}, map[string]any{
			"order_id": "A-1", "state": "cancelled", "was": "waiting", "attempts": 0.0,
		}, 200},
		{"parked", func(t *testing.T, s *shop) {
			settle(t, s.queue, streamutil.Settlement{Outcome: streamutil.OutcomeFailed, Status: 500, Delay: time.Minute})
		}, map[string]any{"order_id": "A-1", "state": "cancelled", "was": "parked", "attempts": 1.0}, 200},
		{"in flight", func(t *testing.T, s *shop) { take(t, s.queue) }, map[string]any{"state": "in_flight"}, 409},
		{"delivered", func(t *testing.T, s *shop) {
			settle(t, s.queue, streamutil.Settlement{Outcome: streamutil.OutcomeDelivered, Status: 200})
		}, map[string]any{"state": "delivered"}, 409},
		{"dead", func(t *testing.T, s *shop) { reject(t, s.queue, "") }, map[string]any{"state": "dead"}, 409},
		{"cancelled", func(_ *testing.T, s *shop) { s.delete("/v1/orders/A-1") }, map[string]any{"state": "cancelled"}, 409},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := usual(t)
			s.mustPost(order)
			tt.given(t, s)
			r := s.delete("/v1/orders/A-1")
			got := r.object(t)
			if tt.code == 409 {
				if got["type"] != "urn:orderq:problem:not-cancellable" || got["detail"] == "" {
					t.Errorf("got %s", r.body)
				}
				got = map[string]any{"state": got["state"]}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || r.StatusCode != tt.code {
				t.Errorf("got %d, want %d (-want +got)\n%s", r.StatusCode, tt.code, diff)
			}
		})
	}
	s := usual(t)
	for _, path := range []string{"/v1/orders/A-1", "/v1/orders/%20"} {
		if r := s.delete(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, r.StatusCode)
		}
	}
}

// Only what was cancelled is counted, not what could not be.
func TestCancelIsCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{Name: redistest.QueueName(t)}, producer.Config{Registerer: reg})
	s.mustPost(order)
	for range 2 {
		s.delete("/v1/orders/A-1")
	}
	want := fmt.Sprintf(`
# HELP orderq_orders_finished_total Orders that this process brought to a final state. Each dead one waits for a person; operators' commands are not counted.
# TYPE orderq_orders_finished_total counter
orderq_orders_finished_total{queue=%[1]q,state="cancelled"} 1
orderq_orders_finished_total{queue=%[1]q,state="dead"} 0
orderq_orders_finished_total{queue=%[1]q,state="delivered"} 0
`, s.queue.Name())
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "orderq_orders_finished_total"); err != nil {
		t.Error(err)
	}
}

func TestCancelIsInTheLog(t *testing.T) {
	s, _ := guarded(t)
	s.post(order, "Authorization", "Bearer shop-secret")
	s.send(http.MethodDelete, "/v1/orders/A-1", nil, "Authorization", "Bearer desk-secret")
	snapshot, err := s.queue.Inspect(t.Context())
	if err != nil || snapshot.Totals.Cancelled != 1 || snapshot.Length != 0 {
		t.Errorf("got %+v, %v", snapshot, err)
	}
	if got := lastLine(t, s.queue.Name(), "who"); got != "desk by HTTP" {
		t.Errorf("the log names %q", got)
	}
}
