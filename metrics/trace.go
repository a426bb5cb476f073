package metrics

import (
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var traceParentForm = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-`)

// TraceID cuts the trace id, 32 hexadecimal digits, out of a traceparent (W3C
// Trace Context); it is empty where there is none, and for what is no traceparent.
func TraceID(traceParent string) string {
	found := traceParentForm.FindStringSubmatch(traceParent)
	if found == nil {
		return ""
	}
	return found[1]
}

// observe records a duration, with the trace as its exemplar if there is one.
func observe(h prometheus.Histogram, took time.Duration, traceParent string) {
	exemplars, ok := h.(prometheus.ExemplarObserver)
	if id := TraceID(traceParent); id != "" && ok {
		exemplars.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": id})
		return
	}
	h.Observe(took.Seconds())
}
