package producer_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

var timeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// checkTimes replaces the times that must be there by "time".
func checkTimes(t *testing.T, order map[string]any, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if s, ok := order[key].(string); !ok || !timeForm.MatchString(s) {
			t.Errorf("%s is %v, want a time in UTC with milliseconds", key, order[key])
		}
		order[key] = "time"
	}
}

func TestLookup(t *testing.T) {
	s := usual(t)
	ctx := t.Context()
	entry := s.mustPost(`{"order_id":"A-1"}`)["entry_id"]
	want := map[string]any{
		"order_id": "A-1", "entry_id": entry, "state": "waiting", "position": 1.0, "estimated_at": nil,
		"attempts": 0.0, "last_answer": nil,
		"accepted_at": "time", "taken_at": nil, "due_at": nil, "finished_at": nil,
	}
	compare := func(state string, times ...string) {
		t.Helper()
		r := s.get("/v1/orders/A-1")
		got := r.object(t)
		checkTimes(t, got, times...)
		if diff := cmp.Diff(want, got); diff != "" || r.StatusCode != http.StatusOK {
			t.Errorf("%s: %d (-want +got)\n%s", state, r.StatusCode, diff)
		}
	}
	compare("waiting", "accepted_at")

	slot, err := s.queue.Register(ctx, streamutil.Identity{Name: "c", Pace: streamutil.Every(time.Second), Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := s.queue.Take(ctx, streamutil.Take{Consumer: "c", K: 1, N: 1, Epoch: slot.Epoch, Slot: slot.Number})
	if err != nil || len(taken.Orders) != 1 {
		t.Fatalf("take: %v, %+v", err, taken)
	}
	want["state"], want["position"], want["attempts"], want["taken_at"] = "in_flight", nil, 1.0, "time"
	compare("in flight", "accepted_at", "taken_at")

	order := taken.Orders[0]
	if _, err := s.queue.Settle(ctx, streamutil.Settlement{
		Consumer: "c", K: 1, Entry: order.Entry, OrderID: order.ID,
		Outcome: streamutil.OutcomeRejected, Status: 400, Answer: "not for the public",
	}); err != nil {
		t.Fatal(err)
	}
	want["state"], want["finished_at"] = "dead", "time"
	want["last_answer"] = map[string]any{"outcome": "rejected", "status": 400.0, "text": nil}
	compare("dead", "accepted_at", "taken_at", "finished_at")
}

func TestLookupOfNothing(t *testing.T) {
	s := usual(t)
	for name, path := range map[string]string{
		"unknown":          "/v1/orders/A-1",
		"no possible id":   "/v1/orders/%20",
		"too long":         "/v1/orders/" + strings.Repeat("a", 129),
		"a path below":     "/v1/orders/A-1/x",
		"no id":            "/v1/orders/",
		"another version":  "/v2/orders/A-1",
		"nothing like it":  "/favicon.ico",
		"no way to a file": "/v1/orders/..%2fx",
	} {
		t.Run(name, func(t *testing.T) {
			r := s.get(path)
			if r.StatusCode != http.StatusNotFound || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s: %s", r.StatusCode, r.Header.Get("Content-Type"), r.body)
			}
		})
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	s := usual(t)
	s.mustPost(`{"order_id":"A-1"}`)
	for path, want := range map[string]int{"/v1/orders/A-1": 200, "/v1/orders/A-2": 404, "/livez": 200, "/readyz": 200} {
		if r := s.send(http.MethodHead, path, nil); r.StatusCode != want || len(r.body) != 0 {
			t.Errorf("HEAD %s: got %d and %d bytes, want %d and none", path, r.StatusCode, len(r.body), want)
		}
	}
}
