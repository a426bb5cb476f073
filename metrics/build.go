package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

// NewBuildInfo registers orderq_build_info, which is always 1 and names the
// running version, with reg, if that is not nil.
func NewBuildInfo(reg prometheus.Registerer, version string) prometheus.Gauge {
	info := register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "orderq_build_info", Help: "The running version; always 1. A new label is a new deployment.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	}))
	info.Set(1)
	return info
}
