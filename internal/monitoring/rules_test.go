package monitoring

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	seriesName = regexp.MustCompile(`(?:queue:)?orderq_[a-z0-9_:]+`)
	selector   = regexp.MustCompile(`(orderq_[a-z0-9_]+)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"`)
)

func TestRulesNameWhatExists(t *testing.T) {
	recorded, alerts := rules(t)
	metrics := exported(t)
	known := map[string]bool{}
	for _, r := range recorded {
		known[r.Record] = true
	}
	// Rules and the series that their tests invent.
	texts := map[string]string{}
	for _, r := range slices.Concat(recorded, alerts) {
		texts[r.Alert+r.Record] = r.Expr
	}
	for _, tt := range ruleTests(t) {
		for _, in := range tt.Input {
			texts["test: "+tt.Name] += in.Series + "\n"
		}
	}
	for where, text := range texts {
		for _, name := range seriesName.FindAllString(text, -1) {
			if metrics[name] == nil && !known[name] {
				t.Errorf("%s: nothing exports or records %s", where, name)
			}
		}
		for _, wrong := range wrongMatchers(text, metrics) {
			t.Errorf("%s: %s", where, wrong)
		}
	}
}

// wrongMatchers lists what no series can match. The values of queue and instance
// are the user's.
func wrongMatchers(text string, metrics map[string]map[string][]string) (wrong []string) {
	for _, s := range selector.FindAllStringSubmatch(text, -1) {
		name, labels := s[1], metrics[s[1]]
		if labels == nil { // recorded, or reported already
			continue
		}
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			label, values := m[1], strings.Split(m[2], "|")
			if label == "queue" || label == "instance" {
				continue
			}
			for _, v := range values {
				if !slices.Contains(labels[label], v) {
					wrong = append(wrong, name+" never has "+label+"="+v)
				}
			}
		}
	}
	return wrong
}

func TestWrongMatchersAreSeen(t *testing.T) {
	metrics := map[string]map[string][]string{"orderq_x": {"reason": {"a", "b"}}}
	for text, want := range map[string]int{
		`orderq_x{reason="a"}`:                          0,
		`sum(orderq_x{reason=~"a|b",queue="q"}) > 0`:    0,
		`orderq_x{reason!~"a|c"}`:                       1,
		`orderq_x{kind="a"} or orderq_x { reason="c" }`: 1,
		`orderq_x{reason="a", queue="q",reason="none"}`: 1,
	} {
		if got := wrongMatchers(text, metrics); len(got) != want {
			t.Errorf("%s: got %q, want %d", text, got, want)
		}
	}
}

func TestAlertsAreComplete(t *testing.T) {
	_, alerts := rules(t)
	pages := runbooks(t)
	seen := map[string]bool{}
	for _, a := range alerts {
		if !strings.HasPrefix(a.Alert, "Orderq") || seen[a.Alert] {
			t.Errorf("%s: the name must begin with Orderq and be there once", a.Alert)
		}
		seen[a.Alert] = true
		if s := a.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity is %q", a.Alert, s)
		}
		for _, name := range []string{"summary", "description"} {
			if a.Annotations[name] == "" {
				t.Errorf("%s has no %s", a.Alert, name)
			}
		}
		if got, want := a.Annotations["runbook_url"], "https://example.com/orderq/runbooks/"+a.Alert+".md"; got != want {
			t.Errorf("%s: runbook_url is %q, want %q", a.Alert, got, want)
		}
		if pages[a.Alert] == "" {
			t.Errorf("%s has no page in docs/runbooks", a.Alert)
		}
	}
	for page := range pages {
		if !seen[page] {
			t.Errorf("docs/runbooks/%s.md belongs to no alert", page)
		}
	}
}

func TestAlertsAreTested(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, tt := range ruleTests(t) {
		for _, a := range tt.Alert {
			if len(a.Expect) > 0 {
				fires[a.Name] = true
			} else {
				quiet[a.Name] = true
			}
		}
	}
	_, alerts := rules(t)
	for _, a := range alerts {
		if !fires[a.Alert] || !quiet[a.Alert] {
			t.Errorf("%s: a test sees it fire: %t; a test sees it quiet: %t", a.Alert, fires[a.Alert], quiet[a.Alert])
		}
	}
}
