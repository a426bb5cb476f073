package producer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

func TestSubmit(t *testing.T) {
	s := usual(t)
	first := s.post(`{"order_id":"A-1"}`, "X-Request-Id", "my-request")
	want := map[string]any{
		"order_id": "A-1", "entry_id": first.object(t)["entry_id"], "state": "waiting",
		"position": 1.0, "estimated_at": nil, "duplicate": false, "durability": "memory",
	}
	if diff := cmp.Diff(want, first.object(t)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := streamutil.ParseEntryID(want["entry_id"].(string)); err != nil {
		t.Error(err)
	}
	for name, value := range map[string]string{
		"Location": "/v1/orders/A-1", "Content-Type": "application/json", "Cache-Control": "no-store",
		"X-Request-Id": "my-request", "Idempotent-Replayed": "",
	} {
		if got := first.Header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	again := s.post(`{"order_id":"A-1"}`)
	want["duplicate"] = true
	if diff := cmp.Diff(want, again.object(t)); diff != "" {
		t.Errorf("again (-want +got)\n%s", diff)
	}
	if again.StatusCode != http.StatusAccepted || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("again: got %d and Idempotent-Replayed %q", again.StatusCode, again.Header.Get("Idempotent-Replayed"))
	}
	if second := s.mustPost(`{"order_id":"A-2"}`); second["position"] != 2.0 {
		t.Errorf("the second order stands at %v", second["position"])
	}
}

func TestEstimate(t *testing.T) {
	s := usual(t)
	if _, err := s.queue.Register(t.Context(), streamutil.Identity{
		Name: "c", Pace: streamutil.Every(time.Hour), Lease: time.Minute,
	}); err != nil {
		t.Fatal(err)
	}
	s.mustPost(`{"order_id":"1"}`)
	before := time.Now()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", s.mustPost(`{"order_id":"2"}`)["estimated_at"].(string))
	if wait := at.Sub(before); err != nil || wait < 59*time.Minute || wait > 61*time.Minute {
		t.Errorf("the second of one an hour starts in %v (%v), want an hour", wait, err)
	}
}

func TestBodyIsKeptByteForByte(t *testing.T) {
	redis := redistest.Shared(t)
	s := usual(t)
	body := "\t{ \"order_id\" : \"\\u0041\" ,\r\n \"n\":1.00e+2, \"Order_ID\":\"own\", \"x\":\"h\u00e9\\u00e9\\/\" }\n "
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	s.mustPost(body, "traceparent", trace)
	for field, want := range map[string]string{"body": body, "trace": trace, "id": "A"} {
		if got := streamField(t, redis, s.queue.Name(), field); got != want {
			t.Errorf("%s in the stream is %q, want %q", field, got, want)
		}
	}
}

// streamField reads a field of the first entry of a queue.
func streamField(t *testing.T, redis *redistest.Server, queue, field string) string {
	t.Helper()
	return entryField(t, redis, field, "XRANGE", "orderq:{"+queue+"}:stream", "-", "+", "COUNT", "1")
}

// entryField reads a field of the first entry that a command gives.
func entryField(t *testing.T, redis *redistest.Server, field string, command ...string) string {
	t.Helper()
	got, err := redis.Do(command...)
	if err != nil {
		t.Fatal(err)
	}
	pairs := got.([]any)[0].([]any)[1].([]any)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == field {
			return pairs[i+1].(string)
		}
	}
	return ""
}

func TestTraceParentIsIgnoredIfInvalid(t *testing.T) {
	for name, header := range map[string]string{
		"no trace": "00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"no span":  "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"capitals": "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"rubbish":  "x",
	} {
		t.Run(name, func(t *testing.T) {
			s := usual(t)
			s.mustPost(`{"order_id":"1"}`, "traceparent", header)
			if got := streamField(t, redistest.Shared(t), s.queue.Name(), "trace"); got != "" {
				t.Errorf("stored %q", got)
			}
		})
	}
}

func TestWhereTheIDComesFrom(t *testing.T) {
	tests := []struct{ name, idField, body, header, want string }{
		{"the body", "", `{"order_id":"a"}`, "", "a"},
		{"the header", "", `{}`, "a", "a"},
		{"the header in quotes", "", `{}`, `"a"`, "a"},
		{"both: the body", "", `{"order_id":"a"}`, "b", "a"},
		{"both: the header is not looked at", "", `{"order_id":"a"}`, "not valid!", "a"},
		{"another key", "nr", `{"order_id":true,"nr":"a"}`, "", "a"},
		{"128 characters", "", `{"order_id":"` + strings.Repeat("a", 128) + `"}`, "", strings.Repeat("a", 128)},
		{"all characters", "", `{"order_id":"0.A_z:-"}`, "", "0.A_z:-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{IDField: tt.idField})
			var header []string
			if tt.header != "" {
				header = []string{"Idempotency-Key", tt.header}
			}
			if got := s.mustPost(tt.body, header...)["order_id"]; got != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// crowd holds orders back until so many are there, and then lets all of them go on
// to Redis at once.
type crowd struct {
	*streamutil.Queue
	missing atomic.Int64
	whole   chan struct{}
}

// Enqueue implements [producer.Queue]. Nobody's time runs while the crowd gathers.
func (c *crowd) Enqueue(ctx context.Context, o streamutil.NewOrder) (streamutil.Receipt, error) {
	if c.missing.Add(-1) == 0 {
		close(c.whole)
	}
	select {
	case <-c.whole:
	case <-time.After(time.Minute): // somebody failed
		return streamutil.Receipt{}, errors.New("the crowd is not whole")
	}
	return c.Queue.Enqueue(context.WithoutCancel(ctx), o)
}

func TestManySubmissionsOfFewOrders(t *testing.T) {
	const submissions, orders = 2000, 200
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < 2*submissions+500 {
		t.Skipf("%d connections need more files than %d (%v)", submissions, files.Cur, err)
	}
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redistest.Shared(t).Addr()}})
	t.Cleanup(client.Close)
	queue, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: redistest.QueueName(t)})
	if err != nil {
		t.Fatal(err)
	}
	all := &crowd{Queue: queue, whole: make(chan struct{})}
	all.missing.Store(submissions)
	s := serve(t, all, producer.Config{MaxRequests: 2 * submissions, BodyTimeout: time.Minute})
	s.client.Transport.(*http.Transport).MaxConnsPerHost = 0 // no bound
	var mu sync.Mutex
	first, entries := map[string]int{}, map[string]map[string]bool{}
	var wg sync.WaitGroup
	for i := range submissions {
		wg.Go(func() {
			id := fmt.Sprintf("order-%d", i%orders)
			r := s.insist(fmt.Sprintf(`{"order_id":%q,"amount":%d,"currency":"EUR"}`, id, i%orders))
			if r.StatusCode != http.StatusAccepted {
				t.Errorf("%s: got %d %s", id, r.StatusCode, r.body)
				return
			}
			got := r.object(t)
			mu.Lock()
			defer mu.Unlock()
			if got["duplicate"] == false {
				first[id]++
			}
			if entries[id] == nil {
				entries[id] = map[string]bool{}
			}
			entries[id][fmt.Sprint(got["entry_id"])] = true
		})
	}
	wg.Wait()
	for id, seen := range entries {
		// New to nobody is one whose first answer Redis gave too late for its client.
		if len(seen) != 1 || first[id] > 1 {
			t.Errorf("%s: %d entries, new %d times; want one and once", id, len(seen), first[id])
		}
	}
	snapshot, err := queue.Inspect(t.Context())
	if err != nil || snapshot.Length != orders || len(entries) != orders {
		t.Errorf("the stream has %d orders (%v), the answers name %d; want %d", snapshot.Length, err, len(entries), orders)
	}
}

// insist submits an order again for as long as it is told to.
func (s *shop) insist(body string) reply {
	for {
		r := s.post(body)
		if r.StatusCode != http.StatusServiceUnavailable {
			return r
		}
	}
}
