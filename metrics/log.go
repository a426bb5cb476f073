package metrics

import "github.com/prometheus/client_golang/prometheus"

// Log counts what a process writes to its log. Its methods may be called from
// several goroutines at once.
type Log struct {
	messages counters
}

// NewLog makes the counter and registers it with reg, if that is not nil.
func NewLog(reg prometheus.Registerer) *Log {
	vec := register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "orderq_log_messages_total",
		Help: "Lines written to the log, by level. Warnings and errors that go on mean that somebody should read them.",
	}, []string{"level"}))
	return &Log{newCounters(vec, "debug", "info", "warn", "error")}
}

// Message counts a line of a level: debug, info, warn or error.
func (l *Log) Message(level string) { l.messages.add(level, 1) }
