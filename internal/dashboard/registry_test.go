package dashboard_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"orderq/metrics"
	"orderq/streamutil"
)

// family is what may stand in a query: a name as Prometheus stores it.
type family struct {
	counter bool
	labels  map[string]bool
}

// families gives all that producers and consumers export, from the real
// registry: the test that a metric exists.
func families(t *testing.T) map[string]family {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsScheduler)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	metrics.NewProducer(reg, "orders").Path("/v1/orders")
	metrics.NewConsumer(reg, "orders").PaceInterval(time.Second)
	metrics.NewStream(reg, empty{})
	metrics.NewBuildInfo(reg, "v1")
	metrics.NewLog(reg)
	gathered, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	// Prometheus itself makes these.
	all := map[string]family{"up": {labels: map[string]bool{}}}
	for _, f := range gathered {
		labels := map[string]bool{"le": true}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		switch f.GetType() {
		case dto.MetricType_HISTOGRAM:
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				all[f.GetName()+part] = family{counter: true, labels: labels}
			}
		case dto.MetricType_SUMMARY:
			for _, part := range []string{"_sum", "_count"} {
				all[f.GetName()+part] = family{counter: true, labels: labels}
			}
		default:
			all[f.GetName()] = family{counter: f.GetType() == dto.MetricType_COUNTER, labels: labels}
		}
	}
	return all
}

// empty is a queue with nothing in it.
type empty struct{}

func (empty) Name() string { return "orders" }

func (empty) Inspect(context.Context) (streamutil.Snapshot, error) {
	return streamutil.Snapshot{}, nil
}

// isShared reports whether every process exports the same value of a metric: what
// is read from Redis, and the pace in force, which consumers agree upon.
func isShared(name string) bool {
	switch name {
	case "orderq_consumers", "orderq_pace_interval_seconds", "orderq_redis_unsafe":
		return true
	default:
		return strings.HasPrefix(name, "orderq_stream_") || strings.HasPrefix(name, "orderq_redis_memory_")
	}
}
