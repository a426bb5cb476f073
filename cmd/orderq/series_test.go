package main

import (
	"net/http"
	"strings"
	"testing"

	"orderq/internal/redistest"
)

// maxSeries is what one process may cost a Prometheus.
const maxSeries = 600

// Whatever is asked of a process, its series stay few.
func TestSeriesAreFew(t *testing.T) {
	t.Parallel()
	config := redisConfig(redistest.Shared(t).Addr())
	p := startOrderq(t, "producer", config)
	orders := p.address(t, takesOrders) + "/v1/orders"
	for _, path := range []string{"", ":batch", "/A-1", "/%00", "/../x", "/x/y/z"} {
		for _, method := range []string{"GET", "POST", "DELETE", "PATCH", "X"} {
			for _, body := range []string{`{"order_id":"A-1"}`, "{", ""} {
				get(t, method, orders+path, body)
			}
		}
	}
	c := startOrderq(t, "consumer", config, "consumer.api.url=http://127.0.0.1:1/")
	for name, process := range map[string]*process{"producer": p, "consumer": c} {
		n := series(t, process.address(t, servesMetrics)+"/metrics")
		t.Logf("%s: %d series", name, n)
		if n > maxSeries || n < 100 {
			t.Errorf("%s: %d series, want at most %d", name, n, maxSeries)
		}
	}
}

func series(t *testing.T, url string) (n int) {
	t.Helper()
	status, text := get(t, http.MethodGet, url, "")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, text)
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}
