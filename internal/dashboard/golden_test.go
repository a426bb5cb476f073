package dashboard_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"orderq/internal/dashboard"
)

var update = flag.Bool("update", false, "write deploy/grafana/orderq.json anew")

const shipped = "../../deploy/grafana/"

func TestFileIsCurrent(t *testing.T) {
	want, err := dashboard.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(shipped+"orderq.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(shipped + "orderq.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("deploy/grafana/orderq.json is not what the layout gives; run make dashboard\n%s",
			cmp.Diff(string(got), string(want)))
	}
}

// What Grafana reads must be what the structs say: a field that a struct does not
// know, or that is lost on the way, is a slip in a JSON name.
func TestRoundTrip(t *testing.T) {
	text, err := os.ReadFile(shipped + "orderq.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard.Dashboard
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(anything(t, text), anything(t, again)); diff != "" {
		t.Errorf("read and written again it differs (-file +again):\n%s", diff)
	}
}

func anything(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Who follows a link must find a runbook, and every alert has one.
func TestRunbooksAreThoseOfAlerts(t *testing.T) {
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, p := range all(dashboard.Build().Panels) {
		for _, link := range p.Links {
			links++
			alert := strings.TrimSuffix(strings.TrimPrefix(link.URL, "${runbooks}/"), ".md")
			if !bytes.Contains(text, []byte("alert: "+alert+"\n")) {
				t.Errorf("panel %q links to the runbook of %s, and there is no such alert", p.Title, alert)
			}
		}
	}
	if links == 0 {
		t.Error("no panel links to a runbook")
	}
}

func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL string
			IsDefault                    bool `yaml:"isDefault"`
			Editable                     bool
			JSONData                     struct {
				TimeInterval string `yaml:"timeInterval"`
				HTTPMethod   string `yaml:"httpMethod"`
			} `yaml:"jsonData"`
		}
	}
	strictYAML(t, "provisioning/datasources/orderq.yaml", &sources)
	if len(sources.Datasources) != 1 || sources.Datasources[0].Type != "prometheus" || sources.APIVersion != 1 {
		t.Errorf("the datasource is no Prometheus: %+v", sources)
	}
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type    string
			DisableDeletion       bool `yaml:"disableDeletion"`
			AllowUIUpdates        bool `yaml:"allowUiUpdates"`
			UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
			Options               struct {
				Path                      string
				FoldersFromFilesStructure bool `yaml:"foldersFromFilesStructure"`
			}
		}
	}
	strictYAML(t, "provisioning/dashboards/orderq.yaml", &boards)
	if len(boards.Providers) != 1 || boards.Providers[0].Type != "file" || boards.Providers[0].Options.Path == "" {
		t.Errorf("no provider of files: %+v", boards)
	}
	if boards.Providers[0].AllowUIUpdates || !boards.Providers[0].DisableDeletion {
		t.Error("the dashboard can be changed or deleted in the browser")
	}
}

func strictYAML(t *testing.T, name string, into any) {
	t.Helper()
	f, err := os.Open(shipped + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dec := yaml.NewDecoder(f)
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
