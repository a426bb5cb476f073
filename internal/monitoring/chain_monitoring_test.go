//go:build prometheus && linux

package monitoring

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"orderq/internal/redistest"
)

// startMonitoring starts Prometheus and Alertmanager with the files that we ship
// and gives Prometheus's address. Times are shortened: all scrapes, evaluations
// and waits to a second or less. The rules' windows stay.
func (c *chain) startMonitoring(t *testing.T) string {
	t.Helper()
	webhook := httptest.NewServer(&c.webhook)
	t.Cleanup(webhook.Close)
	dir, alertmanager, prometheus := t.TempDir(), redistest.FreeAddress(t), redistest.FreeAddress(t)
	adapt(t, "recording.yml", dir)
	adapt(t, "alerts.yml", dir)
	shorten(t, filepath.Join(dir, "alerts.yml"))
	adapt(t, "prometheus.yml", dir, "scrape_interval: 15s", "scrape_interval: 1s",
		"evaluation_interval: 15s", "evaluation_interval: 1s", "127.0.0.1:9093", alertmanager,
		"127.0.0.1:9181", c.admins[0], "- 127.0.0.1:9182", "- "+c.admins[1]+"\n          - "+c.admins[2])
	adapt(t, "alertmanager.yml", dir, "group_wait: 30s", "group_wait: 100ms",
		"group_interval: 5m", "group_interval: 1s", "http://127.0.0.1:9095/alerts", webhook.URL)
	run(t, tool(t, "alertmanager"), "--config.file="+filepath.Join(dir, "alertmanager.yml"),
		"--storage.path="+t.TempDir(), "--web.listen-address="+alertmanager, "--cluster.listen-address=")
	run(t, tool(t, "prometheus"), "--config.file="+filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+prometheus)
	awaitReady(t, "http://"+alertmanager+"/-/ready")
	awaitReady(t, "http://"+prometheus+"/-/ready")
	return prometheus
}

var waits = regexp.MustCompile(`for: \d+[mh]\n`)

// shorten lets no alert of a file wait, nor linger, for more than a second.
func shorten(t *testing.T, path string) {
	t.Helper()
	text := waits.ReplaceAllString(read(t, path), "for: 1s\n")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// healthy reports whether every rule was evaluated on the real series; one that
// cannot be is an error at once.
func healthy(t *testing.T, address string) bool {
	t.Helper()
	resp, err := http.Get("http://" + address + "/api/v1/rules")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	evaluated := len(answer.Data.Groups) > 0
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			if r.LastError != "" {
				t.Fatalf("%s: %s", r.Name, r.LastError)
			}
			evaluated = evaluated && r.Health == "ok"
		}
	}
	return evaluated
}

// ask reports whether Prometheus has any result of a query.
func ask(t *testing.T, address, query string) bool {
	t.Helper()
	resp, err := http.Get("http://" + address + "/api/v1/query?query=" + url.QueryEscape(query))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var answer struct{ Data struct{ Result []any } }
	return json.NewDecoder(resp.Body).Decode(&answer) == nil && len(answer.Data.Result) > 0
}
