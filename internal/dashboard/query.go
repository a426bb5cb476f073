package dashboard

import (
	"fmt"
	"strings"
)

// What the queries look at.
const (
	// process chooses what belongs to a process.
	process = `job=~"$job", instance=~"$instance"`
	// work chooses what a process did for a queue.
	work = process + `, queue=~"$queue"`
	// shared chooses what every process reads from Redis and says alike, and the
	// pace, which all consumers agree upon. It has no matcher for the instance:
	// the value is the queue's, whoever was asked, and must not vanish from the
	// dashboard because the one instance that was chosen is down.
	shared = `job=~"$job", queue=~"$queue"`
)

// selector is a metric with its matchers.
func selector(name, of string, more ...string) string {
	return name + "{" + strings.Join(append([]string{of}, more...), ", ") + "}"
}

// read is a gauge of the queue. Every process exports it, so it is the greatest
// of them, never the sum.
func read(name string, more ...string) string { return readBy("queue", name, more...) }

func readBy(labels, name string, more ...string) string {
	return fmt.Sprintf("max by (%s) (%s)", labels, selector(name, shared, more...))
}

// perSecond is how fast a counter rises, added up over the processes. Of says
// what it counts: work or process.
func perSecond(labels, name, of string, more ...string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s[$__rate_interval]))", labels, selector(name, of, more...))
}

// rise is by how much a counter rose in a window.
func rise(labels, name, of, window string, more ...string) string {
	return fmt.Sprintf("sum by (%s) (increase(%s[%s]))", labels, selector(name, of, more...), window)
}

// quantile is the q-th quantile of a histogram of work.
func quantile(q, labels, name, of string) string {
	return fmt.Sprintf("histogram_quantile(%s, %s)", q, perSecond("le, "+labels, name+"_bucket", of))
}

// ours keeps what belongs to a process of orderq: every program has process_ and
// go_ metrics, and with all jobs chosen the matchers let all programs pass.
func ours(expr string) string {
	return expr + " and on (job, instance) " + selector("orderq_build_info", process)
}

// reachable is 1 for each of our processes that Prometheus can scrape, 0 for those
// it cannot. A dead process has no orderq_build_info: its job is known by the
// others, or by what was there within the last hour.
func reachable() string {
	return fmt.Sprintf("max by (job, instance) (%s) and on (job) max by (job) (last_over_time(%s[1h]))",
		selector("up", process), selector("orderq_build_info", `job=~"$job"`))
}

// interval is the least time between two starts of calls, where there is one: 0
// says that there is no bound, and a consumer that does not know it says nothing.
func interval() string { return "(" + read("orderq_pace_interval_seconds") + " > 0)" }

// allowed is how many calls may start each second.
func allowed() string { return "1 / " + interval() }

// sent is how many calls end each second; all of them began, whatever came of it.
func sent() string { return perSecond("queue", "orderq_attempts_total", work) }

// accepted is how many new orders are taken in each second. What was offered is
// counted before what became of it, so the difference can be off by the orders
// that are just being looked at, and even below 0 for a moment.
func accepted() string {
	return fmt.Sprintf("clamp_min(%s - %s - %s, 0)",
		perSecond("queue", "orderq_enqueue_orders_total", work),
		perSecond("queue", "orderq_enqueue_rejected_total", work),
		perSecond("queue", "orderq_enqueue_duplicates_total", work))
}

// drain is how long the backlog takes at the pace in force.
func drain() string { return read("orderq_stream_length") + " * on (queue) " + interval() }

// deadShare is the share of the orders of a window that ended as dead letters. It
// has no value if none ended: 0 of 0 is not 0 %.
func deadShare(window string) string {
	ended := func(states string) string { return rise("queue", "orderq_orders_finished_total", work, window, states) }
	return ended(`state="dead"`) + " / (" + ended(`state=~"delivered|dead"`) + " > 0)"
}

// The values of standing, as levels of trouble.
const (
	levelRunning = 0
	levelWaits   = 1 // it goes on by itself, or a person wants it so
	levelAct     = 2 // somebody must do something
)

// needPerson are the reasons of orderq_stream_blocked that do not go away by
// themselves.
const needPerson = "no_consumer|credentials|redis|replicas|memory"

// standing says of each queue why nothing moves, in its label reason. It is never
// without an answer while any process is scraped: if Redis cannot be read there
// is no orderq_stream_blocked, and "running" would be a lie.
func standing() string {
	const blocked, unread = "orderq_stream_blocked", "orderq_stream_scrape_success"
	named := func(expr, reason string) string {
		return fmt.Sprintf("label_replace(%s, \"reason\", %q, \"\", \"\")", expr, reason)
	}
	return strings.Join([]string{
		"(" + readBy("queue, reason", blocked, `reason=~"`+needPerson+`"`) + " == 1) + 1",
		"or " + readBy("queue, reason", blocked) + " == 1",
		"or on (queue) " + named(read(blocked)+" == 0", "running"),
		"or on (queue) " + named("("+read(unread)+" == 0) + 2", "Redis cannot be read"),
	}, "\n")
}
