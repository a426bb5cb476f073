package metrics_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"orderq/internal/redistest"
	"orderq/metrics"
	"orderq/streamutil"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// everything registers all instruments and touches those that are absent
// before their first use.
func everything(reg prometheus.Registerer) {
	metrics.NewProducer(reg, "orders").Path("/v1/orders")
	metrics.NewLog(reg)
	metrics.NewConsumer(reg, "orders").PaceInterval(time.Second)
	metrics.NewStream(reg, inspector(func() (streamutil.Snapshot, error) { return streamutil.Snapshot{}, nil }))
	metrics.NewBuildInfo(reg, "v1")
}

// inspector is a queue that says what it is told to.
type inspector func() (streamutil.Snapshot, error)

func (inspector) Name() string { return "orders" }

func (i inspector) Inspect(context.Context) (streamutil.Snapshot, error) { return i() }

func TestNamesTypesAndLabels(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	everything(reg)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	golden(t, "families.txt", describe(t, reg))
}

// describe writes one line a series: name, type and labels; and the help of
// each family. Go's own version is not ours to fix.
func describe(t *testing.T, g prometheus.Gatherer) string {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		fmt.Fprintf(&b, "%s %s: %s\n", f.GetName(), strings.ToLower(f.GetType().String()), f.GetHelp())
		for _, m := range f.GetMetric() {
			fmt.Fprintf(&b, "    %s\n", labels(m))
		}
	}
	return b.String()
}

func labels(m *dto.Metric) string {
	var pairs []string
	for _, l := range m.GetLabel() {
		value := l.GetValue()
		if l.GetName() == "goversion" {
			value = "*"
		}
		pairs = append(pairs, fmt.Sprintf("%s=%q", l.GetName(), value))
	}
	return strings.Join(pairs, " ")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); -update writes it anew:\n%s", path, diff)
	}
}

func TestBuiltTwiceIsShared(t *testing.T) {
	reg := prometheus.NewRegistry()
	everything(reg)
	everything(reg)
	first, second := metrics.NewConsumer(reg, "orders"), metrics.NewConsumer(reg, "orders")
	first.Reclaimed(1)
	second.Reclaimed(2)
	want := `
		# HELP orderq_reclaimed_total Orders made due again because their consumer died. Each counts a call that may have been made; a few after a crash are normal.
		# TYPE orderq_reclaimed_total counter
		orderq_reclaimed_total{queue="orders"} 3
	`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "orderq_reclaimed_total"); err != nil {
		t.Error(err)
	}
}

func TestNoRegisterer(t *testing.T) {
	everything(nil) // must not panic
	metrics.NewProducer(nil, "orders").Offered(metrics.SourceHTTP, 1)
}

func TestVerbs(t *testing.T) {
	reg := prometheus.NewRegistry()
	p, c, r, l := metrics.NewProducer(reg, "q"), metrics.NewConsumer(reg, "q"), metrics.NewRedis(reg), metrics.NewLog(reg)
	orders := p.Path("/v1/orders")
	tests := []struct {
		name, series string
		do           func()
		want         float64
	}{
		{"offered", `orderq_enqueue_orders_total queue="q" source="http"`, func() { p.Offered(metrics.SourceHTTP, 1) }, 1},
		{"offered in a batch", `orderq_enqueue_orders_total queue="q" source="batch"`, func() { p.Offered(metrics.SourceBatch, 20) }, 20},
		{"rejected", `orderq_enqueue_rejected_total queue="q" reason="full"`, func() { p.Rejected(metrics.RejectedFull) }, 1},
		{"rejected for a new reason", `orderq_enqueue_rejected_total queue="q" reason="other"`, func() { p.Rejected("?") }, 1},
		{"duplicate", `orderq_enqueue_duplicates_total queue="q"`, func() { p.Duplicates(3) }, 3},
		{"enqueue took", `orderq_enqueue_duration_seconds queue="q"`, func() { p.EnqueueTook(2*time.Second, "") }, 2},
		{"attempt", `orderq_attempts_total outcome="failed" queue="q"`, func() { c.Attempt(streamutil.OutcomeFailed, 3*time.Second, "") }, 1},
		{"attempt took", `orderq_attempt_duration_seconds queue="q"`, func() {}, 3},
		{"finished", `orderq_orders_finished_total queue="q" state="dead"`, func() { c.Finished(streamutil.Dead) }, 1},
		{"waited", `orderq_order_wait_seconds queue="q"`, func() { c.Waited(4 * time.Second) }, 4},
		{"waited, clocks apart", `orderq_order_wait_seconds queue="q"`, func() { c.Waited(-time.Hour) }, 4},
		{"pace", `orderq_pace_interval_seconds queue="q"`, func() { c.PaceInterval(2 * time.Second) }, 2},
		{"reclaimed", `orderq_reclaimed_total queue="q"`, func() { c.Reclaimed(5) }, 5},
		{"blocked", `orderq_blocked queue="q" reason="hold"`, func() { c.Blocked(metrics.BlockedHold, true) }, 1},
		{"no longer blocked", `orderq_blocked queue="q" reason="hold"`, func() { c.Blocked(metrics.BlockedHold, false) }, 0},
		{"blocked by something new", `orderq_blocked queue="q" reason="other"`, func() { c.Blocked("?", true) }, 1},
		{"slot", `orderq_slots_total queue="q" result="lost"`, func() { c.Slot(metrics.SlotLost) }, 1},
		{"end to end", `orderq_order_end_to_end_seconds queue="q"`, func() { c.EndToEnd(5 * time.Second) }, 5},
		{"request", `orderq_http_requests_total code="2xx" handler="/v1/orders" queue="q"`, func() { orders.Serve(func() int { return 202 }) }, 1},
		{"refused request", `orderq_http_requests_total code="4xx" handler="/v1/orders" queue="q"`, func() { orders.Serve(func() int { return 422 }) }, 1},
		{"no request under way", `orderq_http_requests_in_flight queue="q"`, func() {}, 0},
		{"log line", `orderq_log_messages_total level="warn"`, func() { l.Message("warn") }, 1},
		{"redis error", `orderq_redis_errors_total kind="timeout"`, func() { r.Error("timeout") }, 1},
		{"no redis error", `orderq_redis_errors_total kind="other"`, func() { r.Error("") }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.do()
			if got := values(t, reg)[tt.series]; got != tt.want {
				t.Errorf("%s is %v, want %v", tt.series, got, tt.want)
			}
		})
	}
}

// values maps each series to its value; a histogram's is its sum.
func values(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			all[strings.TrimSpace(f.GetName()+" "+labels(m))] =
				m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	return all
}

func TestPaceIsAbsentUntilKnown(t *testing.T) {
	reg := prometheus.NewRegistry()
	metrics.NewConsumer(reg, "q")
	if n, err := testutil.GatherAndCount(reg, "orderq_pace_interval_seconds"); n != 0 || err != nil {
		t.Errorf("got %d series (%v); 0 would read as unlimited", n, err)
	}
}

func TestHistogramsAreClassicAndNative(t *testing.T) {
	reg := prometheus.NewRegistry()
	metrics.NewConsumer(reg, "q").Waited(time.Second)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "orderq_order_wait_seconds" {
			continue
		}
		h := f.GetMetric()[0].GetHistogram()
		if len(h.GetBucket()) != 16 || h.Schema == nil {
			t.Errorf("got %d classic buckets and schema %v, want 16 and one", len(h.GetBucket()), h.Schema)
		}
		return
	}
	t.Fatal("no orderq_order_wait_seconds")
}

// The trace of a slow call is found from the histogram.
func TestExemplars(t *testing.T) {
	reg := prometheus.NewRegistry()
	c := metrics.NewConsumer(reg, "q")
	c.Attempt(streamutil.OutcomeDelivered, time.Second, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	c.Attempt(streamutil.OutcomeDelivered, 8*time.Second, "")
	c.Attempt(streamutil.OutcomeDelivered, 8*time.Second, strings.Repeat("\xff", 60)) // a hand wrote it
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, b := range m.GetHistogram().GetBucket() {
				for _, l := range b.GetExemplar().GetLabel() {
					got = append(got, fmt.Sprintf("%s %v %s=%s", f.GetName(), b.GetUpperBound(), l.GetName(), l.GetValue()))
				}
			}
		}
	}
	want := []string{"orderq_attempt_duration_seconds 1 trace_id=0af7651916cd43dd8448eb211c80319c"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestScrapesShareOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		reg := prometheus.NewRegistry()
		metrics.NewStream(reg, inspector(func() (streamutil.Snapshot, error) {
			reads++
			time.Sleep(100 * time.Millisecond) // synctest's clock
			return streamutil.Snapshot{}, errors.New("no matter")
		}))
		scrape := func(want int) {
			t.Helper()
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() { _, _ = reg.Gather() })
			}
			wg.Wait()
			if reads != want {
				t.Errorf("Redis was read %d times, want %d", reads, want)
			}
		}
		scrape(1)
		time.Sleep(999 * time.Millisecond)
		scrape(1)
		time.Sleep(time.Millisecond)
		scrape(2)
	})
}
