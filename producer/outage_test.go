package producer_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

const order = `{"order_id":"A-1"}`

// inTime is 2 s, and as much again where the machine has other work.
const inTime = 4 * time.Second

// mustRefuse says that Redis is away, in time.
func (s *shop) mustRefuse(what string, do func() reply) {
	s.t.Helper()
	start := time.Now()
	r := do()
	took := time.Since(start)
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || took > inTime {
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

// A full store is no reason to look elsewhere, and less is refused than it seems: what
// was taken before is still recognised, looked up and cancelled.
func TestReadyWithoutMemory(t *testing.T) {
	redis := redistest.Start(t)
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{})
	redis.CLI("CONFIG", "SET", "maxmemory", "1")
	if r := s.post(order); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an order: got %d %s", r.StatusCode, r.body)
	}
	if r := s.get("/readyz"); r.StatusCode != http.StatusOK {
		t.Errorf("readyz: got %d %s", r.StatusCode, r.body)
	}
}

// Where no order can be as durable as was asked, the process is not ready.
func TestReadyOnlyIfDurable(t *testing.T) {
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	durability, err := streamutil.ParseDurability("fsync")
	if err != nil {
		t.Fatal(err)
	}
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redis.Addr()}, Durability: durability})
	t.Cleanup(client.Close)
	s := openOn(t, client, streamutil.QueueConfig{}, producer.Config{})
	s.mustPost(order)
	if r := s.get("/readyz"); r.StatusCode != http.StatusOK {
		t.Errorf("with a file: got %d %s", r.StatusCode, r.body)
	}
	redis.CLI("CONFIG", "SET", "appendonly", "no")
	s.mustRefuse("an order", func() reply { return s.post(`{"order_id":"A-2"}`) })
	s.mustRefuse("readyz", func() reply { return s.get("/readyz") })
	redis.CLI("CONFIG", "SET", "appendonly", "yes")
	redistest.Eventually(t, "it is ready again", func() bool { return s.get("/readyz").StatusCode == http.StatusOK })
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
	// The first time, with the connection yet to be made, there may be no time left for
	// more than 503.
	redistest.Eventually(t, "it is said that no replica has it", func() bool {
		r := s.post(order)
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("no replica has it, and we answer %d %s", r.StatusCode, r.body)
		}
		return r.object(t)["type"] == "urn:orderq:problem:not-confirmed"
	})
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
	r := s.post(order)
	if p := r.object(t); r.StatusCode != http.StatusServiceUnavailable || p["type"] != "urn:orderq:problem:draining" || !r.Close {
		t.Errorf("a new order: got %d %s", r.StatusCode, r.body)
	}
	if r := s.get("/v1/orders/A-1"); r.StatusCode != http.StatusNotFound {
		t.Errorf("lookup: got %d; who looks is still told", r.StatusCode)
	}
}

// slowBody begins a request and comes back once the server asks for its body,
// which is then given piece by piece; end gives the answer.
func slowBody(t *testing.T, s *shop, path, form string, header ...string) (write func(string), end func() reply) {
	t.Helper()
	asked := make(chan struct{})
	body, slow := io.Pipe()
	got := make(chan reply, 1)
	go func() {
		// The client reads the pipe when the server's handler asks for the body:
		// Expect makes it wait for that.
		got <- s.send(http.MethodPost, path, &announced{body, asked, sync.Once{}}, append([]string{"Content-Type", form, "Expect", "100-continue"}, header...)...)
	}()
	<-asked
	return func(text string) { _, _ = io.WriteString(slow, text) }, func() reply { _ = slow.Close(); return <-got }
}

// announced tells when it is read for the first time.
type announced struct {
	io.Reader
	asked chan struct{}
	once  sync.Once
}

func (a *announced) Read(p []byte) (int, error) {
	a.once.Do(func() { close(a.asked) })
	return a.Reader.Read(p)
}

func TestOverload(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{Name: "overload"}, producer.Config{MaxRequests: 1, Registerer: reg})
	body, end := slowBody(t, s, "/v1/orders", array)
	s.mustRefuse("lookup", func() reply { return s.get("/v1/orders/none") })
	s.mustRefuse("submit", func() reply { return s.post(order) })
	if r := s.get("/readyz"); r.StatusCode != http.StatusOK {
		t.Errorf("readyz: got %d; probes are not counted", r.StatusCode)
	}
	body(`{"order_id":"slow"}`)
	if r := end(); r.StatusCode != http.StatusAccepted {
		t.Errorf("the slow one: got %d, want 202", r.StatusCode)
	}
	want := `
		# HELP orderq_enqueue_orders_total Orders offered, before any check. Its rate is what the shop wants of us; none in shop hours means that no order reaches us.
		# TYPE orderq_enqueue_orders_total counter
		orderq_enqueue_orders_total{queue="overload",source="batch"} 0
		orderq_enqueue_orders_total{queue="overload",source="http"} 2
	`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "orderq_enqueue_orders_total"); err != nil {
		t.Error(err)
	}
	requests := s.requests(reg)
	for series, want := range map[string]float64{
		"/v1/orders 2xx": 1, "/v1/orders 4xx": 0, "/v1/orders 5xx": 1, "/v1/orders/{id} 5xx": 1, "/readyz 2xx": 1, "other 4xx": 0,
	} {
		if got, known := requests[series]; got != want || !known {
			t.Errorf("%s: %v requests, want %v", series, got, want)
		}
	}
}

// requests gives how many were answered, by path and class.
func (s *shop) requests(reg prometheus.Gatherer) map[string]float64 {
	s.t.Helper()
	families, err := reg.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "orderq_http_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() { // labels in the order of the alphabet
			got[m.GetLabel()[1].GetValue()+" "+m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return got
}

// One client, however slow, leaves places to the others.
func TestOneClientLeavesPlaces(t *testing.T) {
	set := tokens(t, "slow submit slow-secret\nquick submit quick-secret\n")
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{
		MaxRequests: 4, Tokens: func() producer.Tokens { return set },
	})
	var ends []func() reply
	for i := range 3 {
		body, end := slowBody(t, s, "/v1/orders", array, "Authorization", "Bearer slow-secret")
		ends = append(ends, func() reply { body(fmt.Sprintf(`{"order_id":"slow-%d"}`, i)); return end() })
	}
	s.mustRefuse("one more of the slow one", func() reply { return s.post(order, "Authorization", "Bearer slow-secret") })
	s.mustPost(order, "Authorization", "Bearer quick-secret")
	for _, end := range ends {
		if r := end(); r.StatusCode != http.StatusAccepted {
			t.Errorf("a slow one: got %d", r.StatusCode)
		}
	}
	s.mustPost(`{"order_id":"A-2"}`, "Authorization", "Bearer slow-secret")
}

// So it is with batches, of which few are under way at once.
func TestOneClientLeavesBatches(t *testing.T) {
	set := tokens(t, "slow submit slow-secret\nquick submit quick-secret\n")
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{
		MaxBatches: 4, Tokens: func() producer.Tokens { return set },
	})
	batch := func(secret, body string) reply {
		return s.send(http.MethodPost, "/v1/orders:batch", strings.NewReader(body), "Content-Type", lines, "Authorization", "Bearer "+secret)
	}
	var ends []func() reply
	for i := range 3 {
		body, end := slowBody(t, s, "/v1/orders:batch", lines, "Authorization", "Bearer slow-secret")
		ends = append(ends, func() reply { body(fmt.Sprintf(`{"order_id":"slow-%d"}`, i)); return end() })
	}
	s.mustRefuse("one more of the slow one", func() reply { return batch("slow-secret", order) })
	s.mustPost(`{"order_id":"single"}`, "Authorization", "Bearer slow-secret")
	if got := verdicts(t, batch("quick-secret", order)); got[0] != "1 0 0 memory" {
		t.Errorf("the quick one: %v", got)
	}
	for _, end := range ends {
		if r := end(); r.StatusCode != http.StatusOK {
			t.Errorf("a slow one: got %d", r.StatusCode)
		}
	}
	if got := verdicts(t, batch("slow-secret", `{"order_id":"A-2"}`)); got[0] != "1 0 0 memory" {
		t.Errorf("the slow one, later: %v", got)
	}
}

// Who is refused is told before the rest of a body has come.
func TestRefusedAtOnce(t *testing.T) {
	set := tokens(t, "shop submit secret\n")
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{Tokens: func() producer.Tokens { return set }})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	_ = conn.SetReadDeadline(time.Now().Add(4 * time.Second)) // a body has five seconds
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 401 ") {
		t.Errorf("got %q, %v", answer, err)
	}
}

func TestTroubleIsSaidToBeOver(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	redis := redistest.Start(t)
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{Logger: zap.New(core)})
	s.mustPost(order)
	redis.Kill()
	s.post(order)
	redis.Restart()
	redistest.Eventually(t, "reads go well", func() bool { return s.get("/v1/queue").StatusCode == http.StatusOK })
	if n := logs.FilterMessage("Redis answers as it should again").Len(); n != 0 {
		t.Error("a read is taken for the end of the trouble")
	}
	s.mustPost(order)
	s.mustPost(order)
	if n := logs.FilterMessage("Redis answers as it should again").Len(); n != 1 {
		t.Errorf("it is said %d times that the trouble is over: %v", n, logs.AllUntimed())
	}
}

func TestBadConfig(t *testing.T) {
	q, err := streamutil.NewQueue(streamutil.NewClient(streamutil.ClientConfig{}), streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = producer.New(q, producer.Config{
		MaxBody: -1, MaxRequests: -1, MaxBatches: -1, BodyTimeout: -1, RateLimit: producer.Rate{Requests: 1},
		AllowedOrigins: []string{"https://shop.example", "shop.example", "https://*.example"},
	})
	if err == nil {
		t.Fatal("all of it was taken")
	}
	for _, want := range []string{"MaxBody", "MaxRequests", "MaxBatches", "BodyTimeout", "RateLimit", `"shop.example"`, "*"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}
