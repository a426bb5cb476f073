package dashboard_test

import (
	"strings"
	"testing"

	"orderq/internal/dashboard"
)

func TestLint(t *testing.T) {
	for _, fault := range lint(dashboard.Build(), families(t)) {
		t.Error(fault)
	}
}

// first is the first panel of a kind.
func first(d *dashboard.Dashboard, kind dashboard.Kind) *dashboard.Panel {
	for i := range d.Panels {
		if d.Panels[i].Type == kind {
			return &d.Panels[i]
		}
	}
	panic("no such panel")
}

func TestLintNotices(t *testing.T) {
	expr := func(of string) func(*dashboard.Dashboard) {
		return func(d *dashboard.Dashboard) { first(d, dashboard.TimeSeries).Targets[0].Expr = of }
	}
	graph := func(change func(*dashboard.Panel)) func(*dashboard.Dashboard) {
		return func(d *dashboard.Dashboard) { change(first(d, dashboard.TimeSeries)) }
	}
	const of = `{job=~"$job", instance=~"$instance", queue=~"$queue"}`
	tests := []struct {
		name, want string
		spoil      func(*dashboard.Dashboard)
	}{
		{"editable", "editable", func(d *dashboard.Dashboard) { d.Editable = true }},
		{"no links", "runbooks", func(d *dashboard.Dashboard) { d.Links = nil }},
		{"no variable", "variable datasource", func(d *dashboard.Dashboard) { d.Templating.List = d.Templating.List[1:] }},
		{"a single job", "variable job", func(d *dashboard.Dashboard) { d.Templating.List[1].Multi = false }},
		{
			"a variable of nothing", "nobody exports",
			func(d *dashboard.Dashboard) { d.Templating.List[1].Definition = "label_values(orderq_nothing, job)" },
		},
		{"an annotation of nothing", "nobody exports", func(d *dashboard.Dashboard) { d.Annotations.List[0].Expr = "orderq_nothing" + of }},
		{"the same id", "not its own", graph(func(p *dashboard.Panel) { p.ID = 100 })},
		{"out of the grid", "leaves the grid", graph(func(p *dashboard.Panel) { p.GridPos.X = 20 })},
		{"overlap", "overlap", graph(func(p *dashboard.Panel) { p.GridPos.Y = 0 })},
		{"no title", "no title", graph(func(p *dashboard.Panel) { p.Title = "" })},
		{"no description", "description", graph(func(p *dashboard.Panel) { p.Description = "Orders." })},
		{"no unit", "no unit", graph(func(p *dashboard.Panel) { p.FieldConfig.Defaults.Unit = "" })},
		{"no target", "no target", graph(func(p *dashboard.Panel) { p.Targets = nil })},
		{"no legend", "no legend", graph(func(p *dashboard.Panel) { p.Targets[0].LegendFormat = "" })},
		{"a fixed datasource", "another datasource", graph(func(p *dashboard.Panel) { p.Datasource.UID = "mine" })},
		{
			"an old number", "what is now",
			func(d *dashboard.Dashboard) {
				p := first(d, dashboard.Stat)
				p.Targets[0].Instant, p.Targets[0].Range = false, true
			},
		},
		{"unknown metric", "nobody exports", expr(`sum by (queue) (rate(orderq_nothing_total` + of + `[$__rate_interval]))`)},
		{"bare metric", "without matchers", expr(`sum by (queue) (rate(orderq_attempts_total[$__rate_interval]))`)},
		{"unknown label", "no label color", expr(`rate(orderq_attempts_total{job=~"$job", instance=~"$instance", queue=~"$queue", color="x"}[$__rate_interval])`)},
		{"no job", "for the job", expr(`rate(orderq_attempts_total{instance=~"$instance", queue=~"$queue"}[$__rate_interval])`)},
		{"no instance", "for the instance", expr(`rate(orderq_attempts_total{job=~"$job", queue=~"$queue"}[$__rate_interval])`)},
		{"no queue", "for the queue", expr(`rate(orderq_attempts_total{job=~"$job", instance=~"$instance"}[$__rate_interval])`)},
		{"a counter as it is", "outside of rate", expr(`sum by (queue) (orderq_attempts_total` + of + `)`)},
		{"the rate of a gauge", "a gauge within", expr(`sum by (queue) (rate(orderq_blocked` + of + `[$__rate_interval]))`)},
		{"anybody's memory", "not ours", expr(`process_resident_memory_bytes{job=~"$job", instance=~"$instance"}`)},
		{"a fixed window", "the window", expr(`sum by (queue) (rate(orderq_attempts_total` + of + `[5m]))`)},
		{"the sum of what is shared", "max by", expr(`sum by (queue) (orderq_stream_length{job=~"$job", queue=~"$queue"})`)},
		{"what is shared, of an instance", "all say the same", expr(`max by (queue) (orderq_stream_length` + of + `)`)},
	}
	known := families(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := dashboard.Build()
			tt.spoil(&d)
			if faults := strings.Join(lint(d, known), "\n"); !strings.Contains(faults, tt.want) {
				t.Errorf("want a fault that says %q, got:\n%s", tt.want, faults)
			}
		})
	}
}
