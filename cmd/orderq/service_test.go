package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orderq/internal/redistest"
)

const (
	takesOrders   = "taking orders"
	servesMetrics = "serving metrics and probes"
	connected     = "connected to Redis"
)

// get gives the status and the body of an answer.
func get(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func wantStatus(t *testing.T, want int, method, url, body string) string {
	t.Helper()
	status, text := get(t, method, url, body)
	if status != want {
		t.Fatalf("%s %s = %d, want %d: %s", method, url, status, want, text)
	}
	return text
}

func redisConfig(addr string) string { return fmt.Sprintf("redis: {addresses: [%q]}\n", addr) }

// TestAnOrderGoesThroughBothProcesses is not parallel, so that it can see that
// nothing is left running.
func TestAnOrderGoesThroughBothProcesses(t *testing.T) {
	redis := redistest.Start(t)
	calls := make(chan *http.Request, 10)
	partner := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { calls <- r }))
	t.Cleanup(partner.Close)
	config := redisConfig(redis.Addr()) + fmt.Sprintf("consumer: {api: {url: %q, headers: {X-Shop: tw}}}\n", partner.URL)

	before := goleak.IgnoreCurrent()
	p := startOrderq(t, "producer", config)
	c := startOrderq(t, "consumer", config)
	wantStatus(t, http.StatusAccepted, "POST", p.address(t, takesOrders)+"/v1/orders", `{"order_id":"A-1"}`)
	select {
	case r := <-calls:
		if id, shop := r.Header.Get("Idempotency-Key"), r.Header.Get("X-Shop"); id != "A-1" || shop != "tw" {
			t.Errorf("call for %q with X-Shop %q", id, shop)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the partner was not called")
	}
	admin := c.address(t, servesMetrics)
	redistest.Eventually(t, "the order counts as delivered", func() bool {
		_, text := get(t, "GET", admin+"/metrics", "")
		return strings.Contains(text, `orderq_orders_finished_total{queue="orders",state="delivered"} 1`)
	})
	for _, end := range []*process{p, c} {
		if code := end.end(t); code != exitOK {
			t.Errorf("exit code = %d, want 0", code)
		}
	}
	if !strings.Contains(p.log.String(), `"msg":"stopped"`) || !strings.Contains(c.log.String(), `"msg":"stopped"`) {
		t.Error("a process does not say that it stopped")
	}
	partner.CloseClientConnections()
	goleak.VerifyNone(t, before)
}

func TestAnAbsentRedisIsAwaited(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	redis.Kill()
	p := startOrderq(t, "producer", redisConfig(redis.Addr()))
	c := startOrderq(t, "consumer", redisConfig(redis.Addr())+"consumer: {api: {url: 'http://127.0.0.1:1'}}\n")
	orders, admin := p.address(t, takesOrders), c.address(t, servesMetrics)
	p.line(t, "Redis cannot be used; trying again until it can")
	wantStatus(t, http.StatusServiceUnavailable, "GET", orders+"/readyz", "")
	wantStatus(t, http.StatusOK, "GET", orders+"/livez", "")
	wantStatus(t, http.StatusServiceUnavailable, "GET", admin+"/readyz", "")
	wantStatus(t, http.StatusOK, "GET", admin+"/livez", "")
	wantStatus(t, http.StatusServiceUnavailable, "POST", orders+"/v1/orders", `{"order_id":"A-1"}`)
	redis.Restart()
	p.line(t, connected)
	c.line(t, connected)
	wantStatus(t, http.StatusOK, "GET", orders+"/readyz", "")
	wantStatus(t, http.StatusOK, "GET", admin+"/readyz", "")
	wantStatus(t, http.StatusAccepted, "POST", orders+"/v1/orders", `{"order_id":"A-1"}`)
}

func TestImpossibleDurabilityIsABadConfiguration(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	config := redisConfig(redis.Addr()) + "consumer: {api: {url: 'http://127.0.0.1:1'}}\n"
	const fsync = "redis.durability=fsync"
	for _, command := range []string{"producer", "consumer"} {
		if code := startOrderq(t, command, config, fsync).exit(); code != exitConfig {
			t.Errorf("%s: exit code = %d, want %d", command, code, exitConfig)
		}
	}
	if keys := redis.CLI("KEYS", "*"); strings.Contains(keys, "consumers") {
		t.Errorf("the consumer registered before the check: %s", keys)
	}
	redis.Kill()
	p := startOrderq(t, "producer", config, fsync)
	p.line(t, "Redis cannot be used; trying again until it can")
	redis.Restart()
	if code := p.exit(); code != exitConfig {
		t.Errorf("after Redis came: exit code = %d, want %d", code, exitConfig)
	}
	if !strings.Contains(p.log.String(), "\norderq: check durability: ") {
		t.Error("the reason is not told")
	}
}

func TestABusyPortNamesItsKey(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for _, tt := range []struct{ command, key string }{
		{"producer", "producer.listen"}, {"producer", "producer.admin"}, {"consumer", "consumer.admin"},
	} {
		t.Run(tt.key, func(t *testing.T) {
			p := startOrderq(t, tt.command, "consumer: {api: {url: 'http://127.0.0.1:1'}}\n", tt.key+"="+taken.Addr().String())
			if code := p.exit(); code != exitFailed {
				t.Errorf("exit code = %d, want %d", code, exitFailed)
			}
			want := fmt.Sprintf("orderq: listen on %s: bind: address already in use; give %s another address, as in --set %s=HOST:PORT\n",
				taken.Addr(), tt.key, tt.key)
			if !strings.HasSuffix(p.log.String(), want) {
				t.Errorf("log ends with\n%s\nwant\n%s", p.log, want)
			}
		})
	}
}
