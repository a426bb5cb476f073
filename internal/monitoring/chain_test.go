//go:build prometheus && linux

package monitoring

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
)

// alerted remembers what Alertmanager told the webhook last of each alert.
type alerted struct {
	mu   sync.Mutex
	last map[string]message
}

type message struct {
	Status              string
	Labels, Annotations map[string]string
}

func (a *alerted) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var call struct{ Alerts []message }
	if json.NewDecoder(r.Body).Decode(&call) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range call.Alerts {
		a.last[m.Labels["alertname"]] = m
	}
}

func (a *alerted) about(alert string) message {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last[alert]
}

// chain is all that an alert passes through.
type chain struct {
	binary, redis, api string
	producer           string // its public address
	admins             [3]string
	webhook            alerted
}

// TestChain kills all consumers while orders wait: the alert comes out at the
// other end, and is taken back when one is started again. The rules and
// configurations are those that we ship, with their times shortened.
func TestChain(t *testing.T) {
	path, err := program()
	if err != nil {
		t.Fatalf("build orderq: %v\n%s", err, path)
	}
	api := httptest.NewServer(partner.New(partner.Options{}))
	t.Cleanup(api.Close)
	c := &chain{
		binary: path, redis: redistest.Start(t).Addr(), api: api.URL, producer: redistest.FreeAddress(t),
		admins:  [3]string{redistest.FreeAddress(t), redistest.FreeAddress(t), redistest.FreeAddress(t)},
		webhook: alerted{last: map[string]message{}},
	}
	c.startProducer(t)
	consumers := []*exec.Cmd{c.startConsumer(t, 1), c.startConsumer(t, 2)}
	prometheus := c.startMonitoring(t)
	c.submit(t, 120)
	await(t, time.Minute, "Prometheus sees both consumers at work", func() bool {
		return ask(t, prometheus, `max(orderq_consumers) == 2 and sum(orderq_attempts_total) > 0 and max(orderq_stream_lag) > 0`)
	})
	await(t, time.Minute, "Prometheus evaluates every rule without an error", func() bool { return healthy(t, prometheus) })
	if m := c.webhook.about("OrderqNoConsumer"); m.Status != "" {
		t.Errorf("told before anything happened: %+v", m)
	}

	for _, consumer := range consumers {
		kill(t, consumer)
	}
	began := time.Now()
	await(t, time.Minute, "the webhook hears that no consumer is alive", func() bool {
		return c.webhook.about("OrderqNoConsumer").Status == "firing"
	})
	t.Logf("firing at the webhook %v after kill -9 (times are shortened)", time.Since(began).Round(time.Millisecond))
	m := c.webhook.about("OrderqNoConsumer")
	if m.Labels["queue"] != "orders" || m.Labels["severity"] != "critical" || !strings.Contains(m.Annotations["summary"], "orders in queue orders") {
		t.Errorf("got %+v", m)
	}

	c.startConsumer(t, 1)
	began = time.Now()
	await(t, time.Minute, "the webhook hears that it is over", func() bool {
		return c.webhook.about("OrderqNoConsumer").Status == "resolved"
	})
	t.Logf("resolved at the webhook %v after the start of a consumer", time.Since(began).Round(time.Millisecond))
}

func (c *chain) startProducer(t *testing.T) {
	t.Helper()
	run(t, c.binary, "producer", "--set", "redis.addresses="+c.redis, "--set", "producer.listen="+c.producer,
		"--set", "producer.admin="+c.admins[0])
	awaitReady(t, "http://"+c.producer+"/readyz")
}

func (c *chain) startConsumer(t *testing.T, number int) *exec.Cmd {
	t.Helper()
	return run(t, c.binary, "consumer", "--set", "redis.addresses="+c.redis, "--set", "consumer.admin="+c.admins[number],
		"--set", "consumer.pace=1/s", "--set", "consumer.lease=3s", "--set", "consumer.api.timeout=500ms",
		"--set", "consumer.api.url="+c.api)
}

// submit has the producer accept n orders.
func (c *chain) submit(t *testing.T, n int) {
	t.Helper()
	var orders strings.Builder
	for i := range n {
		fmt.Fprintf(&orders, "{\"order_id\":\"chain-%d\"}\n", i)
	}
	resp, err := http.Post("http://"+c.producer+"/v1/orders:batch", "application/x-ndjson", strings.NewReader(orders.String()))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Accepted int }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Accepted != n {
		t.Fatalf("%d of %d orders were accepted (%v)", answer.Accepted, n, err)
	}
}
