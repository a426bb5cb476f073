package producer_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// lastLine gives a field of the last line of a queue's log.
func lastLine(t *testing.T, queue, field string) string {
	t.Helper()
	return entryField(t, redistest.Shared(t), field, "XREVRANGE", "orderq:{"+queue+"}:log", "+", "-", "COUNT", "1")
}

func TestQueue(t *testing.T) {
	s := usual(t)
	want := map[string]any{
		"queue": s.queue.Name(), "state": "idle", "reason": nil, "pace": nil, "backlog": 0.0, "waiting": 0.0,
		"in_flight": 0.0, "parked": 0.0, "dead": 0.0, "drain_seconds": 0.0,
	}
	compare := func(when string) {
		t.Helper()
		r := s.get("/v1/queue")
		if diff := cmp.Diff(want, r.object(t)); diff != "" || r.StatusCode != http.StatusOK {
			t.Errorf("%s: %d (-want +got)\n%s", when, r.StatusCode, diff)
		}
	}
	compare("at first")
	if _, err := s.queue.Register(t.Context(), streamutil.Identity{Name: "c", Pace: streamutil.Every(time.Minute), Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	s.mustPost(`{"order_id":"A-1"}`)
	s.mustPost(`{"order_id":"A-2"}`)
	want["state"], want["pace"], want["backlog"], want["waiting"], want["drain_seconds"] = "running", "1/m", 2.0, 2.0, 120.0
	compare("with work")
	if err := s.queue.Pause(t.Context(), 0, streamutil.Act{Who: "anna@shop-1", Why: "private"}); err != nil {
		t.Fatal(err)
	}
	want["state"], want["reason"], want["drain_seconds"] = "paused", "paused", nil
	compare("paused")
}
