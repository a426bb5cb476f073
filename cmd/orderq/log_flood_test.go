package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		f := newFlood(zap.New(core))
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- f.run(ctx) }()
		log := f.logger().Named("producer").With(zap.String("queue", "q"))
		burst := func(lines int) {
			for range lines {
				log.Warn("refused")
				log.Error("broken")
				log.Debug("taken")
			}
		}
		want := func(when string, want map[string]int) {
			t.Helper()
			synctest.Wait()
			got := map[string]int{}
			for _, e := range logs.TakeAll() {
				if n, ok := e.ContextMap()["lines"].(int64); ok {
					got["without "+e.ContextMap()["message"].(string)] += int(n)
				} else {
					got[e.Message]++
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		burst(10)
		want("as many as may be", map[string]int{"refused": 10, "broken": 10, "taken": 10})
		burst(100)
		log.Warn("something else")
		want("a flood", map[string]int{"taken": 100, "something else": 1})
		<-time.After(floodWindow + time.Second)
		want("when it is over", map[string]int{"without refused": 100, "without broken": 100})
		<-time.After(floodWindow)
		want("nothing new", map[string]int{})
		burst(11)
		want("the next one", map[string]int{"refused": 10, "broken": 10, "taken": 11})
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		want("at the end", map[string]int{"without refused": 1, "without broken": 1})
	})
}

// TestRefusedRequestsDoNotFloodTheLog asks a producer without Redis.
func TestRefusedRequestsDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	p := startOrderq(t, "producer", redisConfig("127.0.0.1:1"))
	orders := p.address(t, takesOrders) + "/v1/orders"
	const requests = 40
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			if status, text := get(t, "POST", orders, `{"order_id":"A-1"}`); status != http.StatusServiceUnavailable {
				t.Errorf("status = %d, want 503: %s", status, text)
			}
		})
	}
	all.Wait()
	if code := p.end(t); code != exitOK {
		t.Errorf("exit code = %d, want 0", code)
	}
	written, leftOut := map[string]int{}, 0
	for line := range strings.Lines(p.log.String()) {
		var f struct {
			Logger, Msg string
			Lines       int
		}
		if json.Unmarshal([]byte(line), &f) == nil && f.Logger == "producer" {
			written[f.Msg]++
		}
		leftOut += f.Lines
	}
	sum := leftOut
	for msg, n := range written {
		if sum += n; n > 2*floodLines { // a second window may have begun
			t.Errorf("%q stands there %d times", msg, n)
		}
	}
	if sum != requests || leftOut == 0 {
		t.Errorf("%v were written and %d left out, want %d together", written, leftOut, requests)
	}
}
