package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"orderq/streamutil"
)

// Redis counts what goes wrong between this process and Redis. Its methods may
// be called from several goroutines at once.
type Redis struct {
	errors counters
}

// NewRedis makes the counters and registers them with reg, if that is not nil.
// They have no label queue: a process uses one Redis.
func NewRedis(reg prometheus.Registerer) *Redis {
	vec := register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "orderq_redis_errors_total", Help: "Redis calls that failed, by kind. A few at a failover or a restart are normal.",
	}, []string{"kind"}))
	return &Redis{errors: newCounters(vec, streamutil.ErrorKinds()...)}
}

// Error counts an error of one of the kinds of [streamutil.ErrorKinds]. The
// empty kind, which [streamutil.ErrorKind] gives for all that is no error of
// Redis, is not counted.
func (r *Redis) Error(kind string) {
	if kind != "" {
		r.errors.add(kind, 1)
	}
}
