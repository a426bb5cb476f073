package campaign

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"orderq/internal/redistest"
	"orderq/metrics"
	"orderq/streamutil"
)

// slow is what no command should take in Redis, whatever the backlog.
const slow = 5 * time.Millisecond

// TestReadingNeverHarms runs the operators' commands on a long queue, and tells how
// long each took and which commands were slow in Redis: told, not asserted, for on a
// shared machine a HELLO can be. ORDERQ_TEST_BACKLOG is how long the queue is; make
// campaign says a million.
func TestReadingNeverHarms(t *testing.T) {
	backlog := howMany(t, "ORDERQ_TEST_BACKLOG", 20_000)
	program := orderq(t)
	redis := redistest.Start(t, "--slowlog-log-slower-than", fmt.Sprint(slow.Microseconds()), "--slowlog-max-len", "1000")
	fill(t, redis.Addr(), backlog)
	redis.CLI("SLOWLOG", "RESET")

	scrape(t, redis.Addr())
	dir := t.TempDir()
	for _, args := range [][]string{
		{"status"},
		{"check"},
		{"consumers"},
		{"pending"},
		{"list"},
		{"list", "--state", "waiting"},
		{"list", "--state", "in_flight"},
		{"list", "--state", "delivered"},
		{"show", "O-0"},
		{"show", fmt.Sprint("O-", backlog-1)},
		{"tail"},
		{"dead", "list"},
		{"purge", "--yes", "--backup", filepath.Join(dir, "backup")},
	} {
		cmd := exec.CommandContext(t.Context(), program, append(args, "--set", "redis.addresses="+redis.Addr())...)
		cmd.Dir = dir
		start := time.Now()
		out, err := cmd.CombinedOutput()
		took := time.Since(start)
		if code := cmd.ProcessState.ExitCode(); err != nil && (args[0] != "check" || code > 2) {
			t.Errorf("orderq %v: %v\n%s", args, err, out)
		}
		t.Logf("%-24s %v", args[0]+" "+args[len(args)-1], took.Round(time.Millisecond))
	}
	lines := slowLog(t, redis)
	for _, line := range lines {
		t.Log("slow: " + line)
	}
	t.Logf("%d commands took longer than %v", len(lines), slow)
}

// howMany is what a variable of the environment says, or few.
func howMany(t *testing.T, variable string, few int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1000 {
		t.Fatalf("%s: want a number from 1000 on, not %q", variable, text)
	}
	return n
}

// scrape reads what a process that is producer and consumer tells Prometheus of the
// queue, several times, each for the first time.
func scrape(t *testing.T, addr string) {
	t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	defer client.Close()
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		reg := prometheus.NewRegistry()
		metrics.NewProducer(reg, q.Name())
		metrics.NewConsumer(reg, q.Name())
		metrics.NewStream(reg, q)
		w := httptest.NewRecorder()
		start := time.Now()
		promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		took := time.Since(start)
		if text := w.Body.String(); !strings.Contains(text, `orderq_stream_scrape_success{queue="orders"} 1`) {
			t.Errorf("the queue could not be read:\n%s", text)
		}
		t.Logf("scrape                   %v", took.Round(100*time.Microsecond))
	}
}

// slowLog gives the commands that were slow, with how long they took.
func slowLog(t *testing.T, redis *redistest.Server) []string {
	t.Helper()
	got, err := redis.Do("SLOWLOG", "GET", "100")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range got.([]any) {
		entry := e.([]any) // id, time, µs, arguments, ...
		args := entry[3].([]any)
		lines = append(lines, fmt.Sprintf("%v µs, %d arguments: %.300v", entry[2], len(args), args))
	}
	return lines
}

// fill makes a queue with a backlog, a hundredth of it in flight.
func fill(t *testing.T, addr string, backlog int) {
	t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	defer client.Close()
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{MaxBacklog: 1 << 40, MaxInFlight: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	const many = 1000
	for from := 0; from < backlog; from += many {
		orders := make([]streamutil.NewOrder, many)
		for i := range orders {
			id := fmt.Sprint("O-", from+i)
			orders[i] = streamutil.NewOrder{ID: id, Body: []byte(body(id))}
		}
		for _, s := range q.EnqueueBatch(t.Context(), orders) {
			if s.Err != nil {
				t.Fatal(s.Err)
			}
		}
	}
	slot, err := q.Register(t.Context(), streamutil.Identity{Name: "w", Host: "shop-1", Pace: streamutil.Unlimited, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var held []streamutil.EntryID
	for k := int64(1); len(held) < backlog/100; k++ {
		taken, err := q.Take(t.Context(), streamutil.Take{
			Consumer: "w", K: k, N: 100, Holding: held, Epoch: slot.Epoch, Slot: slot.Number,
		})
		if err != nil || len(taken.Orders) == 0 {
			t.Fatalf("take: %+v, %v", taken, err)
		}
		slot = taken.Slot
		for _, o := range taken.Orders {
			held = append(held, o.Entry)
		}
	}
}
