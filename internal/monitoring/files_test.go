package monitoring

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"orderq/metrics"
	"orderq/streamutil"
)

const (
	rulesDir    = "../../deploy/prometheus"
	runbooksDir = "../../docs/runbooks"
)

// rule is an alert or a recorded series.
type rule struct {
	Alert, Record, Expr string
	Labels, Annotations map[string]string
}

// ruleTest is one test of promtool.
type ruleTest struct {
	Name  string
	Input []struct{ Series string } `yaml:"input_series"`
	Alert []struct {
		Name   string `yaml:"alertname"`
		Expect []any  `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func unmarshal(t *testing.T, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// rules gives all recorded series and all alerts.
func rules(t *testing.T) (recorded, alerts []rule) {
	t.Helper()
	for _, name := range []string{"recording.yml", "alerts.yml"} {
		var file struct{ Groups []struct{ Rules []rule } }
		unmarshal(t, filepath.Join(rulesDir, name), &file)
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				if r.Record != "" {
					recorded = append(recorded, r)
				} else {
					alerts = append(alerts, r)
				}
			}
		}
	}
	if len(recorded) == 0 || len(alerts) < 14 {
		t.Fatalf("got %d recorded series and %d alerts", len(recorded), len(alerts))
	}
	return recorded, alerts
}

func ruleTests(t *testing.T) (all []ruleTest) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(rulesDir, "*_test.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no tests of rules: %v", err)
	}
	for _, path := range paths {
		var file struct{ Tests []ruleTest }
		unmarshal(t, path, &file)
		all = append(all, file.Tests...)
	}
	return all
}

// runbooks maps the name of each page, but the index, to its text.
func runbooks(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(runbooksDir, "*.md"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no runbooks: %v", err)
	}
	pages := map[string]string{}
	for _, path := range paths {
		if name := strings.TrimSuffix(filepath.Base(path), ".md"); name != "README" {
			pages[name] = read(t, path)
		}
	}
	return pages
}

// idle is a queue that can be read and has nothing.
type idle struct{}

func (idle) Name() string { return "orders" }

func (idle) Inspect(context.Context) (streamutil.Snapshot, error) { return streamutil.Snapshot{}, nil }

// exported maps each series that producers and consumers have to its labels'
// values; a histogram is there with its parts.
func exported(t *testing.T) map[string]map[string][]string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	metrics.NewProducer(reg, "orders").Path("/v1/orders")
	metrics.NewConsumer(reg, "orders").PaceInterval(time.Second)
	metrics.NewStream(reg, idle{})
	metrics.NewLog(reg)
	metrics.NewBuildInfo(reg, "v1")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string][]string{}
	for _, f := range families {
		values := map[string][]string{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				values[l.GetName()] = append(values[l.GetName()], l.GetValue())
			}
		}
		names := []string{f.GetName()}
		if f.GetMetric()[0].GetHistogram() != nil {
			names = []string{f.GetName() + "_bucket", f.GetName() + "_sum", f.GetName() + "_count"}
		}
		for _, name := range names {
			all[name] = values
		}
	}
	return all
}
