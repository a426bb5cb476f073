package producer_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

const order = `{"order_id":"A-1"}`

// mustRefuse says that Redis is away, in time.
func (s *shop) mustRefuse(what string, do func() reply) {
	s.t.Helper()
	start := time.Now()
	r := do()
	took := time.Since(start)
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || took > 2*time.Second {
		s.t.Errorf("%s: got %d after %v with Retry-After %q, want 503 within 2 s with one", what, r.StatusCode, took, r.Header.Get("Retry-After"))
	}
}

func TestRedisKilledAndBack(t *testing.T) {
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{})
	s.mustPost(order)
	redis.Kill()
	s.mustRefuse("submit", func() reply { return s.post(`{"order_id":"A-2"}`) })
	s.mustRefuse("lookup", func() reply { return s.get("/v1/orders/A-1") })
	s.mustRefuse("ready", func() reply { return s.get("/readyz") })
	if r := s.get("/livez"); r.StatusCode != http.StatusOK {
		t.Errorf("livez: got %d, want 200: a restart would mend nothing", r.StatusCode)
	}
	redis.Restart()
	redistest.Eventually(t, "the producer is ready again", func() bool { return s.get("/readyz").StatusCode == http.StatusOK })
	if got := s.mustPost(order); got["duplicate"] != true {
		t.Error("the order of before is not known any more")
	}
	if got := s.mustPost(`{"order_id":"A-2"}`); got["duplicate"] != false {
		t.Error("a refused order was taken all the same")
	}
}

func TestRedisFrozen(t *testing.T) {
	redis := redistest.Start(t)
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{})
	s.mustPost(order)
	redis.Stop()
	defer redis.Continue()
	var wg sync.WaitGroup
	for _, path := range []string{"/readyz", "/readyz", "/v1/orders/A-1"} {
		wg.Go(func() { s.mustRefuse(path, func() reply { return s.get(path) }) })
	}
	s.mustRefuse("submit", func() reply { return s.post(`{"order_id":"A-2"}`) })
	wg.Wait()
}

func TestRedisWithoutMemory(t *testing.T) {
	redis := redistest.Start(t)
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{})
	s.mustPost(order)
	redis.CLI("CONFIG", "SET", "maxmemory", "1")
	r := s.post(`{"order_id":"A-2"}`)
	if p := r.object(t); r.StatusCode != http.StatusServiceUnavailable || p["type"] != "urn:orderq:problem:memory" || r.Header.Get("Retry-After") == "" {
		t.Errorf("got %d %s", r.StatusCode, r.body)
	}
	if got := s.mustPost(order); got["duplicate"] != true {
		t.Error("a duplicate is not recognised")
	}
}

func TestNotAsDurableAsAsked(t *testing.T) {
	durability, err := streamutil.ParseDurability("replicas=1")
	if err != nil {
		t.Fatal(err)
	}
	client := streamutil.NewClient(streamutil.ClientConfig{
		Addresses: []string{redistest.Shared(t).Addr()}, Durability: durability,
	})
	t.Cleanup(client.Close)
	s := openOn(t, client, streamutil.QueueConfig{}, producer.Config{})
	r := s.post(order)
	if p := r.object(t); r.StatusCode != http.StatusServiceUnavailable || p["type"] != "urn:orderq:problem:not-confirmed" {
		t.Errorf("no replica has it, and we answer %d %s", r.StatusCode, r.body)
	}
}

func TestDraining(t *testing.T) {
	s := usual(t)
	if r := s.get("/readyz"); r.StatusCode != http.StatusOK {
		t.Fatalf("before: got %d", r.StatusCode)
	}
	s.handler.Drain()
	if r := s.get("/readyz"); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("got %d, want 503 with Retry-After", r.StatusCode)
	}
	if r := s.get("/livez"); r.StatusCode != http.StatusOK || !r.Close {
		t.Errorf("livez: got %d, closing %v; want 200 and the connection closed", r.StatusCode, r.Close)
	}
	s.mustPost(order)
}

func TestOverload(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{Name: "overload"}, producer.Config{MaxRequests: 1, Registerer: reg})
	body, slow := io.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		if r := s.send(http.MethodPost, "/v1/orders", body, "Content-Type", "application/json"); r.StatusCode != http.StatusAccepted {
			t.Errorf("the slow one: got %d, want 202", r.StatusCode)
		}
	})
	// The client reads the pipe when the server's handler asks for the body.
	if _, err := io.WriteString(slow, `{"order_id":`); err != nil {
		t.Fatal(err)
	}
	redistest.Eventually(t, "one more is refused", func() bool {
		r := s.get("/v1/orders/none")
		return r.StatusCode == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != ""
	})
	s.mustRefuse("submit", func() reply { return s.post(order) })
	if r := s.get("/readyz"); r.StatusCode != http.StatusOK {
		t.Errorf("readyz: got %d; probes are not counted", r.StatusCode)
	}
	_, _ = io.WriteString(slow, `"slow"}`)
	_ = slow.Close()
	wg.Wait()
	want := `
		# HELP orderq_enqueue_orders_total Orders offered, before any check.
		# TYPE orderq_enqueue_orders_total counter
		orderq_enqueue_orders_total{queue="overload",source="http"} 2
	`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "orderq_enqueue_orders_total"); err != nil {
		t.Error(err)
	}
}

func TestBadConfig(t *testing.T) {
	q, err := streamutil.NewQueue(streamutil.NewClient(streamutil.ClientConfig{}), streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = producer.New(q, producer.Config{MaxBody: -1, MaxRequests: -1})
	if err == nil || !strings.Contains(err.Error(), "MaxBody") || !strings.Contains(err.Error(), "MaxRequests") {
		t.Errorf("got %v, want both faults", err)
	}
}
