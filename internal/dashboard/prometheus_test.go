//go:build prometheus && linux

package dashboard_test

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"orderq/internal/dashboard"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// window is what Grafana makes of $__rate_interval at this scrape interval.
const window = "8s"

// grafana does what Grafana does to a query before it sends it.
func grafana(expr, rateInterval string) string {
	return strings.NewReplacer("$__rate_interval", rateInterval, "$job", ".+", "$instance", ".+", "$queue", ".+").Replace(expr)
}

// TestDashboardOnPrometheus lets everything happen once, and then asks a real
// Prometheus every question that the dashboard asks.
func TestDashboardOnPrometheus(t *testing.T) {
	s := newSystem(t)
	p := startPrometheus(t, map[string][]string{
		"orderq-producer": s.producing[:], "orderq-consumer": s.consuming[:],
	})
	from := time.Now()
	s.happen()
	t.Run("numbers are true", func(t *testing.T) { checkTruth(t, s, p, from) })
	to := time.Now()
	for _, address := range slices.Concat(s.producing[:], s.consuming[:]) {
		checkMetrics(t, address)
	}
	t.Run("panels", func(t *testing.T) { checkPanels(t, p, from, to) })
	t.Run("variables", func(t *testing.T) { checkVariables(t, p, from, to) })
	t.Run("annotations", func(t *testing.T) { checkAnnotations(t, p, from, to) })
	t.Logf("%v of data", to.Sub(from).Round(time.Second))
}

// happen is what the dashboard is for: a good time, a partner in trouble, a
// consumer that dies, and a Redis that is away.
func (s *system) happen() {
	s.shop(8 * time.Second)
	s.failing.Store(http.StatusServiceUnavailable)
	s.shop(5 * time.Second)
	s.failing.Store(http.StatusTooManyRequests)
	redistest.Eventually(s.t, "the partner's wish is known", func() bool { return s.inspect().Blocked == "hold" })
	s.shop(2 * time.Second)
	s.failing.Store(0)
	s.shop(4 * time.Second)

	for i := 0; !s.held.Load(); i++ { // until consumer 1 has got one
		s.order(fmt.Sprintf("hang-%d", i), http.StatusAccepted)
		until(time.Second, s.held.Load)
	}
	s.consumers[1].kill()
	s.shop(5 * time.Second) // its lease ends, what it had is taken back
	s.consumers[1].start()

	s.redis.Stop()
	s.shop(6 * time.Second)
	s.redis.Continue()
	s.shop(4 * time.Second)
	s.drained()
}

// checkTruth compares the big numbers, as two producers and two consumers export
// them, with what is so.
func checkTruth(t *testing.T, s *system, p *server, from time.Time) {
	by := streamutil.Act{Who: "test", Why: "maintenance"}
	if err := s.queue.Pause(t.Context(), 0, by); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		s.order(fmt.Sprintf("paused-%d", i), http.StatusAccepted)
	}
	var dead float64
	eventually(t, "some order became a dead letter", func() string {
		if dead = float64(s.inspect().Dead); dead == 0 {
			return "none, or Redis does not answer"
		}
		return ""
	})
	wants(t, p, "Backlog", map[string]float64{"orders": 7})
	wants(t, p, "Drain time", map[string]float64{"orders": 7.0 / perSecond})
	wants(t, p, "Dead letters", map[string]float64{"orders": dead})
	wants(t, p, "Live consumers", map[string]float64{"orders": 2})
	wants(t, p, "State", map[string]float64{"orders paused": 1})

	before := s.partner.Seen()
	if _, err := s.queue.Resume(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	s.drained()
	wants(t, p, "State", map[string]float64{"orders running": 0})
	if calls := s.partner.Seen() - before; calls < 7 { // a consumer that was held up may have cut one
		t.Errorf("%d calls for 7 orders", calls)
	}
	// The counters over all processes. Consumer 1 was killed: what it had counted
	// is gone with it, but Prometheus has seen the last of it.
	seen := map[string]bool{}
	for _, line := range p.over(t, grafana(target("State of the queue", 0), window), from, time.Now()) {
		seen[line.Metric["reason"]] = true
	}
	for _, reason := range []string{"running", "hold", "breaker", "paused", "Redis cannot be read"} {
		if !seen[reason] {
			t.Errorf("the state was never %q, only %v", reason, seen)
		}
	}
	eventually(t, "the producers count what was offered", func() string {
		return differs(p.now(t, `sum(orderq_enqueue_orders_total)`), float64(s.offered))
	})
	eventually(t, "the rate is no more than the pace", func() string {
		for _, line := range p.over(t, grafana(target("Pace used", 0), "20s"), time.Now().Add(-30*time.Second), time.Now()) {
			for _, used := range line.Values {
				if used > 1.05 {
					return fmt.Sprintf("%.3f of the pace was used", used)
				}
			}
		}
		return ""
	})
}

// differs says what is wrong with an answer that should be one number.
func differs(got []series, want float64) string {
	if len(got) != 1 || len(got[0].Values) != 1 || got[0].Values[0] != want {
		return fmt.Sprintf("got %v, want %v", got, want)
	}
	return ""
}

// target gives a query of a panel.
func target(title string, i int) string {
	for _, p := range all(dashboard.Build().Panels) {
		if p.Title == title {
			return p.Targets[i].Expr
		}
	}
	panic("no panel " + title)
}

// wants waits until a big number is what it should be, for each queue, or queue
// and reason.
func wants(t *testing.T, p *server, title string, want map[string]float64) {
	t.Helper()
	eventually(t, title, func() string {
		got := map[string]float64{}
		for _, line := range p.now(t, grafana(target(title, 0), window)) {
			if len(line.Values) == 0 {
				return fmt.Sprintf("%v is no number", line.Metric)
			}
			// Products of decimal fractions are not exact.
			got[strings.TrimSpace(line.Metric["queue"]+" "+line.Metric["reason"])] = math.Round(line.Values[0]*1e6) / 1e6
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Sprintf("got %v, want %v", got, want)
		}
		return ""
	})
}

// eventually waits until there is no fault; Prometheus learns of things later.
func eventually(t *testing.T, what string, fault func() string) {
	t.Helper()
	if !until(30*time.Second, func() bool { return fault() == "" }) {
		t.Errorf("%s: %s", what, fault())
	}
}

// checkPanels runs every query over the whole time: it must be PromQL, have had a
// value, and never one that makes no sense.
func checkPanels(t *testing.T, p *server, from, to time.Time) {
	queries, lines := 0, 0
	for _, panel := range all(dashboard.Build().Panels) {
		for _, target := range panel.Targets {
			where := panel.Title + " " + target.RefID
			found := p.over(t, grafana(target.Expr, window), from, to)
			values := 0
			queries, lines = queries+1, lines+len(found)
			for _, line := range found {
				values += len(line.Values)
				if line.Metric["job"] == "prometheus" {
					t.Errorf("%s: shows a program that is not ours: %v", where, line.Metric)
				}
				if len(line.Values) > 0 && slices.Min(line.Values) < 0 {
					t.Errorf("%s: less than nothing: %v", where, line)
				}
			}
			if values == 0 && target.MayBeEmpty == "" {
				t.Errorf("%s: empty\n%s", where, target.Expr)
			}
			if target.Instant {
				p.now(t, grafana(target.Expr, window))
			}
		}
	}
	t.Logf("%d queries, %d series", queries, lines)
}

// checkVariables does what Grafana does for label_values(selector, label).
func checkVariables(t *testing.T, p *server, from, to time.Time) {
	want := map[string]int{"job": 2, "instance": 4, "queue": 1}
	for _, v := range dashboard.Build().Templating.List {
		if v.Type != "query" {
			continue
		}
		inside := strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")")
		selector, label := grafana(inside[:strings.LastIndex(inside, ", ")], ""), inside[strings.LastIndex(inside, ", ")+2:]
		var found []map[string]string
		p.ask(t, "/api/v1/series", url.Values{"match[]": {selector}, "start": {stamp(from)}, "end": {stamp(to)}}, &found)
		values := map[string]bool{}
		for _, labels := range found {
			values[labels[label]] = true
		}
		if len(values) != want[v.Name] {
			t.Errorf("%s has the values %v, want %d", v.Name, values, want[v.Name])
		}
	}
}

// checkAnnotations runs their queries. Within a minute no alert needs to fire.
func checkAnnotations(t *testing.T, p *server, from, to time.Time) {
	for _, a := range dashboard.Build().Annotations.List {
		found := p.over(t, grafana(a.Expr, window), from, to)
		if len(found) == 0 && a.Name != "Alerts" {
			t.Errorf("%s marks nothing", a.Name)
		}
	}
}
