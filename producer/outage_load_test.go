package producer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// Redis is killed three times while shops submit and try again until they have
// their 202: every order is in the queue, once; nothing grows while it is away, and
// nothing is left behind.
func TestLoadWhileRedisDies(t *testing.T) {
	const shops, orders = 16, 1500
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{})
	s.mustPost(`{"order_id":"first"}`)
	s.client.CloseIdleConnections()
	before := runtime.NumGoroutine()

	l := &load{s: s, entries: map[string]string{}}
	// A test that fails ends the shops, too.
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range shops {
		wg.Go(func() {
			for n := l.next.Add(1); n <= orders && ctx.Err() == nil; n = l.next.Add(1) {
				l.insist(ctx, fmt.Sprintf("L-%d", n))
			}
		})
	}
	for i := range int64(3) {
		redistest.Eventually(t, "some more are accepted", func() bool { return l.accepted.Load() >= (i+1)*orders/4 })
		refused := l.refused.Load()
		redis.Kill()
		refusals := func(each int64) {
			redistest.Eventually(t, "the shops are refused", func() bool { return l.refused.Load() >= refused+each*shops })
		}
		refusals(3)
		// Meanwhile, too, nothing may grow: a shop has a connection, whose two ends have
		// two goroutines each or three, and the producer a few of its own.
		early := live()
		if n := runtime.NumGoroutine(); n > before+8*shops+20 {
			t.Errorf("%d goroutines while Redis is away, %d before the load", n, before)
		}
		refusals(12)
		if late, n := live(), runtime.NumGoroutine(); late > early+4<<20 || n > before+8*shops+20 {
			t.Errorf("%d KiB and %d goroutines after %d refusals, %d KiB after %d; %d goroutines before the load",
				late>>10, n, 12*shops, early>>10, 3*shops, before)
		}
		redis.Restart()
	}
	wg.Wait()

	l.mustBeOnce(redis, orders)
	s.client.CloseIdleConnections()
	redistest.Eventually(t, "no more goroutines than before", func() bool { return runtime.NumGoroutine() <= before+shops/2 })
	t.Logf("%d refusals, the slowest after %v", l.refused.Load(), time.Duration(l.slowest.Load()))
}

// live is how much memory is in use, garbage not counted.
func live() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// load is what the shops have seen.
type load struct {
	s                 *shop
	next              atomic.Int64
	accepted, refused atomic.Int64
	slowest           atomic.Int64 // of the refusals, in nanoseconds
	mu                sync.Mutex
	entries           map[string]string // by order
}

// insist submits an order until it is accepted.
func (l *load) insist(ctx context.Context, id string) {
	for ctx.Err() == nil && !l.try(ctx, id) {
		select {
		case <-ctx.Done():
		case <-time.After(25*time.Millisecond + rand.N(50*time.Millisecond)):
		}
	}
}

// try reports whether the order was accepted, or cannot be.
func (l *load) try(ctx context.Context, id string) (done bool) {
	t := l.s.t
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.s.url+"/v1/orders", strings.NewReader(`{"order_id":"`+id+`"}`))
	if err != nil {
		t.Error(err)
		return true
	}
	req.Header.Set("Content-Type", array)
	start := time.Now()
	resp, err := l.s.client.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			t.Errorf("%s: %v", id, err)
		}
		return true
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(start)
	var got struct {
		EntryID string `json:"entry_id"`
	}
	switch {
	case err != nil, json.Unmarshal(body, &got) != nil:
		t.Errorf("%s: %v: %s", id, err, body)
		return true
	case resp.StatusCode == http.StatusAccepted:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.entries[id] = got.EntryID
		l.accepted.Add(1)
		return true
	case resp.StatusCode != http.StatusServiceUnavailable, resp.Header.Get("Retry-After") == "", took > inTime:
		t.Errorf("%s: got %d after %v with Retry-After %q: %s", id, resp.StatusCode, took, resp.Header.Get("Retry-After"), body)
	}
	l.refused.Add(1)
	for slowest := l.slowest.Load(); int64(took) > slowest && !l.slowest.CompareAndSwap(slowest, int64(took)); {
		slowest = l.slowest.Load()
	}
	return false
}

// mustBeOnce compares the queue with the receipts.
func (l *load) mustBeOnce(redis *redistest.Server, orders int) {
	t := l.s.t
	got, err := redis.Do("XRANGE", "orderq:{"+l.s.queue.Name()+"}:stream", "-", "+")
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, e := range got.([]any) {
		entry, pairs := e.([]any)[0].(string), e.([]any)[1].([]any)
		for i := 0; i < len(pairs); i += 2 {
			if id := pairs[i+1].(string); pairs[i] == "id" && id != "first" {
				times[id]++
				if l.entries[id] != entry {
					t.Errorf("%s is %s in the queue and %q in its receipt", id, entry, l.entries[id])
				}
			}
		}
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s is in the queue %d times", id, n)
		}
	}
	if len(times) != orders || len(l.entries) != orders {
		t.Errorf("%d orders in the queue and %d receipts, want %d", len(times), len(l.entries), orders)
	}
}
