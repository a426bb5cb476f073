package dashboard_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"orderq/internal/dashboard"
)

// linter collects what is wrong with a dashboard.
type linter struct {
	known  map[string]family
	faults []string
}

func lint(d dashboard.Dashboard, known map[string]family) []string {
	l := &linter{known: known}
	l.whole(d)
	l.variables(d)
	l.annotations(d)
	ids := map[int]bool{}
	for _, p := range all(d.Panels) {
		l.must(!ids[p.ID] && p.ID > 0, "panel %q: id %d is not its own", p.Title, p.ID)
		ids[p.ID] = true
		l.panel(p)
	}
	l.places(d.Panels)
	return l.faults
}

// all gives the panels with those inside of collapsed rows.
func all(panels []dashboard.Panel) []dashboard.Panel {
	var flat []dashboard.Panel
	for _, p := range panels {
		flat = append(append(flat, p), p.Panels...)
	}
	return flat
}

func (l *linter) must(ok bool, format string, args ...any) {
	if !ok {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

func (l *linter) whole(d dashboard.Dashboard) {
	l.must(!d.Editable, "the dashboard is editable")
	l.must(d.UID != "" && d.Title != "" && d.Description != "", "the dashboard has no uid, title or description")
	l.must(slices.ContainsFunc(d.Links, func(k dashboard.Link) bool { return k.URL == "${runbooks}" }), "no link to the runbooks")
}

func (l *linter) variables(d dashboard.Dashboard) {
	byName := map[string]dashboard.Variable{}
	for _, v := range d.Templating.List {
		byName[v.Name] = v
	}
	l.must(byName["datasource"].Type == "datasource" && byName["datasource"].Query == "prometheus", "no variable datasource")
	for _, name := range []string{"job", "instance", "queue"} {
		v := byName[name]
		l.must(v.Type == "query" && v.Multi && v.IncludeAll && v.AllValue == ".+" && v.Refresh == 2,
			"variable %s: not all, several, or asked anew with the time", name)
		l.must(v.Datasource != nil && v.Datasource.UID == "${datasource}", "variable %s: another datasource", name)
		m := labelValues.FindStringSubmatch(v.Definition)
		l.must(m != nil, "variable %s: %q is no label_values", name, v.Definition)
		if m != nil {
			l.must(l.has(m[1]), "variable %s: nobody exports %s", name, m[1])
		}
	}
	l.must(byName["runbooks"].Type == "constant" && byName["runbooks"].Hide == 2, "no hidden constant runbooks")
}

var labelValues = regexp.MustCompile(`^label_values\((\w+)(?:\{[^}]*\})?, \w+\)$`)

func (l *linter) has(name string) bool {
	_, ok := l.known[name]
	return ok
}

func (l *linter) annotations(d dashboard.Dashboard) {
	for _, a := range d.Annotations.List {
		l.must(a.Datasource.UID == "${datasource}", "annotation %s: another datasource", a.Name)
		// Prometheus writes ALERTS: it has no job, and is no metric of ours.
		if !strings.HasPrefix(a.Expr, "ALERTS{") {
			l.query("annotation "+a.Name, a.Expr, false)
		}
	}
}

func (l *linter) panel(p dashboard.Panel) {
	switch p.Type {
	case dashboard.Row:
		l.must(p.Title != "", "row %d has no title", p.ID)
		return
	case dashboard.Text:
		l.must(p.Options.Content != "", "text %d is empty", p.ID)
		return
	default: // all others show data
	}
	where := fmt.Sprintf("panel %q", p.Title)
	l.must(p.Title != "", "panel %d has no title", p.ID)
	l.must(len(p.Description) > 40, "%s: no description that helps", where)
	l.must(p.FieldConfig.Defaults.Unit != "" || p.Options.YAxis != nil && p.Options.YAxis.Unit != "", "%s: no unit", where)
	l.must(p.Datasource != nil && p.Datasource.UID == "${datasource}", "%s: another datasource", where)
	l.must(len(p.Targets) > 0, "%s: no target", where)
	refs := map[string]bool{}
	for _, t := range p.Targets {
		l.must(t.RefID != "" && !refs[t.RefID], "%s: target %q is not its own", where, t.RefID)
		refs[t.RefID] = true
		l.must(t.Instant != t.Range, "%s: target %s is neither of now nor over time, or both", where, t.RefID)
		l.must(t.Instant == (p.Type == dashboard.Stat || p.Type == dashboard.Table),
			"%s: a big number and a table show what is now, a graph what was", where)
		l.must(p.Type == dashboard.Table || t.LegendFormat != "", "%s: target %s has no legend", where, t.RefID)
		l.query(where+" target "+t.RefID, t.Expr, t.Instant)
	}
}

// places checks that no panel leaves the grid or covers another.
func (l *linter) places(panels []dashboard.Panel) {
	for i, p := range panels {
		a := p.GridPos
		l.must(a.W > 0 && a.H > 0 && a.X >= 0 && a.Y >= 0 && a.X+a.W <= 24, "panel %q: leaves the grid: %+v", p.Title, a)
		for _, q := range panels[:i] {
			b := q.GridPos
			apart := a.X+a.W <= b.X || b.X+b.W <= a.X || a.Y+a.H <= b.Y || b.Y+b.H <= a.Y
			l.must(apart, "panels %q and %q overlap", q.Title, p.Title)
		}
		l.places(p.Panels)
	}
}
