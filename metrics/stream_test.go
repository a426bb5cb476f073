package metrics_test

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"orderq/internal/redistest"
	"orderq/metrics"
	"orderq/streamutil"
)

// stream gives a queue on a Redis and a registry with nothing but its collector.
func stream(t *testing.T, addr, queue string) (*streamutil.Queue, *prometheus.Registry) {
	t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	t.Cleanup(client.Close)
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: queue})
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewPedanticRegistry()
	metrics.NewStream(reg, q)
	return q, reg
}

// gauges reads the registry, without the label queue, and without what differs from
// one Redis to the next. Of reasons it gives those that are there.
func gauges(t *testing.T, reg prometheus.Gatherer) map[string]float64 {
	t.Helper()
	got := map[string]float64{}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch name := f.GetName(); name {
		case "orderq_stream_scrape_duration_seconds", "orderq_redis_errors_total", "orderq_redis_memory_bytes":
		case "orderq_stream_blocked", "orderq_redis_unsafe":
			for _, m := range f.GetMetric() {
				if value := m.GetGauge().GetValue(); value != 0 {
					got[name+" "+m.GetLabel()[1].GetValue()] = value
				}
			}
		default:
			got[name] = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return got
}

func TestStreamOnRedis(t *testing.T) {
	addr := redistest.Shared(t).Addr()
	t.Run("empty", func(t *testing.T) {
		_, reg := stream(t, addr, redistest.QueueName(t))
		want := expected(map[string]float64{})
		if diff := cmp.Diff(want, gauges(t, reg)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
	t.Run("with orders", func(t *testing.T) {
		q, reg := stream(t, addr, redistest.QueueName(t))
		for i := range 3 {
			order := streamutil.NewOrder{ID: strconv.Itoa(i), Body: []byte(`{}`)}
			if _, err := q.Enqueue(t.Context(), order); err != nil {
				t.Fatal(err)
			}
		}
		got := gauges(t, reg)
		for _, age := range []string{"orderq_stream_oldest_waiting_age_seconds", "orderq_stream_oldest_age_seconds"} {
			if got[age] < 0 || got[age] > 60 {
				t.Errorf("%s is %v s, want about none", age, got[age])
			}
			got[age] = 0
		}
		want := expected(map[string]float64{
			"orderq_stream_length": 3, "orderq_stream_lag": 3, "orderq_stream_blocked no_consumer": 1,
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// expected are all gauges of a queue, 0 but for those given.
func expected(given map[string]float64) map[string]float64 {
	all := map[string]float64{
		"orderq_redis_unsafe persistence": 1, // as the tests' Redis is
		"orderq_consumers":                0, "orderq_stream_length": 0, "orderq_stream_lag": 0, "orderq_stream_in_flight": 0,
		"orderq_stream_parked": 0, "orderq_stream_dead": 0, "orderq_stream_oldest_waiting_age_seconds": 0,
		"orderq_stream_oldest_age_seconds": 0, "orderq_stream_scrape_success": 1,
		"orderq_stream_oldest_in_flight_age_seconds": 0, "orderq_stream_overdue_seconds": 0, "orderq_stream_lease_seconds": 0,
		"orderq_redis_memory_max_bytes": 0,
	}
	maps.Copy(all, given)
	return all
}

func TestStreamTellsWhatIsHeld(t *testing.T) {
	snapshot := streamutil.Snapshot{
		OldestInFlight: time.Minute, Overdue: 2 * time.Minute, Blocked: "paused",
		Consumers: []streamutil.ConsumerInfo{{Lease: 15 * time.Second}, {Lease: 20 * time.Second}},
		Memory:    streamutil.MemoryFacts{Used: 1, Max: 2}, Risks: []string{"memory", "eviction"},
	}
	reg := prometheus.NewPedanticRegistry()
	metrics.NewStream(reg, inspector(func() (streamutil.Snapshot, error) { return snapshot, nil }))
	got := gauges(t, reg)
	want := expected(map[string]float64{
		"orderq_stream_oldest_in_flight_age_seconds": 60, "orderq_stream_overdue_seconds": 120, "orderq_stream_lease_seconds": 20,
		"orderq_stream_blocked paused": 1, "orderq_redis_unsafe memory": 1, "orderq_redis_unsafe eviction": 1,
		"orderq_redis_memory_max_bytes": 2,
	})
	delete(want, "orderq_redis_unsafe persistence")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStreamWithoutRedis(t *testing.T) {
	redis := redistest.Start(t)
	_, reg := stream(t, redis.Addr(), "orders")
	redis.Kill()
	want := map[string]float64{"orderq_stream_scrape_success": 0}
	if diff := cmp.Diff(want, gauges(t, reg)); diff != "" {
		t.Errorf("stale values must go (-want +got)\n%s", diff)
	}
}
