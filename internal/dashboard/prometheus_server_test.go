//go:build prometheus && linux

package dashboard_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
)

const tools = "../../.tools/prometheus/bin/"

// tool gives the path of prometheus or promtool. ORDERQ_TEST_PROMETHEUS is a
// folder with others, such as a newer version.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(cmp.Or(os.Getenv("ORDERQ_TEST_PROMETHEUS"), tools), name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v; fetch it with: make prometheus", err)
	}
	return path
}

// server is a Prometheus that scrapes every two seconds: a process takes up to one
// to find out that Redis does not answer, and must be given more.
type server struct{ url string }

// startPrometheus runs one, with our rules, that scrapes the given addresses of
// each job.
func startPrometheus(t *testing.T, jobs map[string][]string) *server {
	t.Helper()
	dir := t.TempDir()
	config := "global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}\nrule_files:\n"
	for _, name := range []string{"recording.yml", "alerts.yml"} {
		path, err := filepath.Abs("../../deploy/prometheus/" + name)
		if err != nil {
			t.Fatal(err)
		}
		config += "  - " + path + "\n"
	}
	address := redistest.FreeAddress(t)
	jobs["prometheus"] = []string{address} // a program that is not ours
	config += "scrape_configs:\n"
	for job, addresses := range jobs {
		config += fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: ['%s']}]}\n", job, strings.Join(addresses, "', '"))
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, name: "prometheus", binary: tool(t, "prometheus"), log: filepath.Join(dir, "log"), args: []string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address,
	}}
	p.start()
	s := &server{url: "http://" + address}
	redistest.Eventually(t, "Prometheus is ready", func() bool {
		p.mustRun()
		resp, err := http.Get(s.url + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return s
}

// series is one line of an answer, without the samples that are no number.
type series struct {
	Metric map[string]string
	Values []float64
}

// ask gives the data of one call of the API. Prometheus must have nothing to
// remark.
func (s *server) ask(t *testing.T, path string, args url.Values, into any) {
	t.Helper()
	resp, err := http.PostForm(s.url+path, args)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error   string
		Warnings, Infos []string
		Data            json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != "success" || len(answer.Warnings)+len(answer.Infos) > 0 {
		t.Errorf("%s %s: %s %v %v", path, args.Encode(), answer.Error, answer.Warnings, answer.Infos)
		return
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		t.Fatal(err)
	}
}

// over runs a query over a time, at every second of it.
func (s *server) over(t *testing.T, expr string, from, to time.Time) []series {
	t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Values [][2]any
		}
	}
	s.ask(t, "/api/v1/query_range", url.Values{
		"query": {expr}, "start": {stamp(from)}, "end": {stamp(to)}, "step": {"1"},
	}, &data)
	var all []series
	for _, r := range data.Result {
		all = append(all, series{r.Metric, numbers(t, r.Values...)})
	}
	return all
}

// now runs a query at the present.
func (s *server) now(t *testing.T, expr string) []series {
	t.Helper()
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	s.ask(t, "/api/v1/query", url.Values{"query": {expr}}, &data)
	var all []series
	for _, r := range data.Result {
		all = append(all, series{r.Metric, numbers(t, r.Value)})
	}
	return all
}

func stamp(at time.Time) string { return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64) }

// numbers leaves out NaN, for which Grafana draws nothing.
func numbers(t *testing.T, samples ...[2]any) []float64 {
	t.Helper()
	var all []float64
	for _, sample := range samples {
		v, err := strconv.ParseFloat(sample[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		if !math.IsNaN(v) {
			all = append(all, v)
		}
	}
	return all
}

// checkMetrics lets promtool judge what a process exports.
func checkMetrics(t *testing.T, address string) {
	t.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cmd := exec.CommandContext(t.Context(), tool(t, "promtool"), "check", "metrics")
	cmd.Stdin = resp.Body
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("promtool check metrics, of %s: %v\n%s", address, err, said)
	}
}
