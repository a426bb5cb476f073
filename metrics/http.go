package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var requestBuckets = []float64{.0025, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// HTTP holds the instruments of a server's answers, one path of a fixed set at a
// time. Its methods may be called from several goroutines at once.
type HTTP struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	under    prometheus.Gauge
}

func newHTTP(reg prometheus.Registerer, labels prometheus.Labels) *HTTP {
	return &HTTP{
		requests: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "orderq_http_requests_total", ConstLabels: labels,
			Help: "Requests answered, by path and class of status. More 4xx: a client sends what we refuse; any 5xx: we or Redis are in trouble.",
		}, []string{"handler", "code"})),
		took: register(reg, prometheus.NewHistogramVec(histogram("orderq_http_request_duration_seconds",
			"Time from a request's head to the end of its answer, its body's arrival included.", labels, requestBuckets), []string{"handler"})),
		under: register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "orderq_http_requests_in_flight", ConstLabels: labels,
			Help: "Requests being answered. Near producer.max_requests, the next ones are refused.",
		})),
	}
}

// Path holds the instruments of one path.
type Path struct {
	requests counters
	took     prometheus.Observer
	under    prometheus.Gauge
}

// Path gives the instruments of a path, which must be one of a fixed few.
func (h *HTTP) Path(name string) *Path {
	return &Path{
		requests: newCounters(h.requests.MustCurryWith(prometheus.Labels{"handler": name}), "2xx", "4xx", "5xx"),
		took:     h.took.WithLabelValues(name),
		under:    h.under,
	}
}

// Serve counts a request while answer answers it and gives the status.
func (p *Path) Serve(answer func() (status int)) {
	p.under.Inc()
	defer p.under.Dec()
	start := time.Now()
	status := answer()
	p.took.Observe(time.Since(start).Seconds())
	p.requests.add(strconv.Itoa(status/100)+"xx", 1)
}
