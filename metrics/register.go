package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// other is the label value for what is not in the closed set: a value nobody
// foresaw must be seen, but must not make a new series each time.
const other = "other"

// register gives c to reg, or returns the one of the same name and labels that
// reg has already. It panics if the name is taken by something else: two
// definitions of one metric are a fault in the program.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	if err == nil {
		return c
	}
	if taken, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if present, ok := taken.ExistingCollector.(C); ok {
			return present
		}
	}
	panic(err)
}

// histogram describes a histogram of durations with classic buckets (in
// seconds) and, for servers that scrape them, native ones of bounded number.
func histogram(name, help string, labels prometheus.Labels, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, ConstLabels: labels, Buckets: buckets, Unit: "seconds",
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}
}

func onQueue(queue string) prometheus.Labels { return prometheus.Labels{"queue": queue} }

// counters is a counter for each value of one label.
type counters struct {
	known map[string]bool
	vec   *prometheus.CounterVec
}

// newCounters makes a counter, at zero, for each of the values.
func newCounters[S ~string](vec *prometheus.CounterVec, values ...S) counters {
	c := counters{known: make(map[string]bool, len(values)), vec: vec}
	for _, v := range values {
		c.known[string(v)] = true
		vec.WithLabelValues(string(v))
	}
	return c
}

// add counts n under value, or under "other" if the set has no such value.
func (c counters) add(value string, n int) {
	if !c.known[value] {
		value = other
	}
	c.vec.WithLabelValues(value).Add(float64(n))
}
