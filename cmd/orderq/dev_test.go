package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// runDev runs orderq dev in the working directory, on free ports, until it
// ends or a line makes until true. It gives the exit code, the lines of
// standard output and all of standard error.
func runDev(t *testing.T, until func(line string) bool, args ...string) (code int, lines []string, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out := &lineWriter{line: func(line string) {
		lines = append(lines, line)
		if until != nil && until(line) {
			cancel()
		}
	}}
	var errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: out, stderr: &errs, environ: os.Environ()}
	args = append([]string{"dev", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
	code = a.run(ctx, args)
	return code, lines, errs.String()
}

// lineWriter gives whole lines away.
type lineWriter struct {
	mu   sync.Mutex
	rest []byte
	line func(string)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		w.line(string(line))
		w.rest = rest
	}
}

var lastLine = regexp.MustCompile(`^accepted (\d+), delivered (\d+), dead (\d+), gap min (-|\d+\.\d{3} s), median (-|\d+\.\d{3} s)$`)

// sums reads the last line.
func sums(t *testing.T, lines []string) (accepted, delivered, dead int, least float64) {
	t.Helper()
	if len(lines) == 0 {
		t.Fatal("nothing was printed")
	}
	m := lastLine.FindStringSubmatch(lines[len(lines)-1])
	if m == nil {
		t.Fatalf("the last line is %q", lines[len(lines)-1])
	}
	n := make([]int, 4)
	for i := 1; i <= 3; i++ {
		n[i], _ = strconv.Atoi(m[i])
	}
	least, _ = strconv.ParseFloat(strings.TrimSuffix(m[4], " s"), 64)
	return n[1], n[2], n[3], least
}

func count(lines []string, prefix string) (n int) {
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func TestDevDelivers(t *testing.T) {
	tests := []struct{ name, redis, about string }{
		{"redis-server of its own", "auto", "redis-server "},
		{"embedded", "embedded", "embedded in this process"},
		{"a Redis that runs", redistest.Start(t).Addr(), "as --redis asked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, lines, stderr := runDev(t, nil, "--redis", tt.redis, "--pace", "20/s", "--exit-when-drained")
			if code != 0 || stderr != "" {
				t.Errorf("exit code %d, standard error %q", code, stderr)
			}
			if !strings.Contains(lines[0], tt.about) {
				t.Errorf("the first line is %q", lines[0])
			}
			accepted, delivered, dead, least := sums(t, lines)
			if accepted != 5 || delivered != 5 || dead != 0 || least < 0.05 {
				t.Errorf("got %q", lines[len(lines)-1])
			}
			if n := count(lines, "delivered "); n != 5 {
				t.Errorf("%d lines for 5 orders:\n%s", n, strings.Join(lines, "\n"))
			}
		})
	}
}

// What it serves is what a producer and a consumer serve: the queue, too.
func TestDevTellsOfTheQueue(t *testing.T) {
	for _, redis := range []string{"auto", "embedded"} {
		t.Chdir(t.TempDir())
		var url, scraped string
		code, _, stderr := runDev(t, func(line string) bool {
			if at, ok := strings.CutPrefix(line, "metrics  "); ok {
				url = at
			}
			if scraped != "" || !strings.HasPrefix(line, "delivered ") {
				return false // what comes while it ends is not asked any more
			}
			resp, err := http.Get(url)
			if err != nil {
				t.Error(err)
				return true
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Error(err)
			}
			scraped = string(text)
			return true
		}, "--redis", redis, "--pace", "20/s")
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, standard error %q", redis, code, stderr)
		}
		for _, series := range []string{`orderq_stream_scrape_success{queue="orders"} 1`, `orderq_consumers{queue="orders"} 1`, "orderq_attempts_total", "orderq_enqueue_orders_total"} {
			if !strings.Contains(scraped, series) {
				t.Errorf("%s: %s is not told:\n%.2000s", redis, series, scraped)
			}
		}
	}
}

func TestDevWritesItsConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("ORDERQ_REDIS__PASSWORD=of-another-redis\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var printed string
	code, _, stderr := runDev(t, func(line string) bool {
		if strings.HasPrefix(line, "status ") {
			printed = line
		}
		return printed != ""
	}, "--redis", "embedded", "--queue", "mine", "--pace", "30/m")
	if code != 0 || !strings.HasSuffix(printed, "bin/orderq status --config .orderq/orderq.yaml") {
		t.Errorf("exit code %d, %q, %q", code, printed, stderr)
	}
	c, err := load(sources{config: filepath.Join(devDir, localFile)}, roleConsumer)
	if err != nil {
		t.Fatal(err)
	}
	if c.RedisPassword != "" {
		t.Error("the .env of the working directory counts")
	}
	if c.Queue.Name != "mine" || c.Consumer.Pace.String() != "30/m" || len(c.Redis.Addresses) != 1 {
		t.Errorf("got queue %s, pace %s, Redis %s", c.Queue.Name, c.Consumer.Pace, c.Redis.Addresses)
	}
}

func TestDevGoesOnWithWhatWasLeft(t *testing.T) {
	t.Chdir(t.TempDir())
	seen := 0
	code, lines, stderr := runDev(t, func(line string) bool {
		if strings.HasPrefix(line, "delivered ") {
			seen++
		}
		return seen == 2
	}, "--orders", "6", "--pace", "5/s")
	accepted, first, _, _ := sums(t, lines)
	if code != 0 || accepted != 6 || first < 2 || first > 5 {
		t.Fatalf("exit code %d, %q, %q", code, lines[len(lines)-1], stderr)
	}
	code, lines, stderr = runDev(t, nil, "--orders", "1", "--pace", "20/s", "--exit-when-drained")
	accepted, second, _, _ := sums(t, lines)
	if code != 0 || accepted != 1 || first+second != 7 {
		t.Errorf("exit code %d, first %d, then %q, %q", code, first, lines[len(lines)-1], stderr)
	}
	if want := fmt.Sprintf("%d orders are left", 6-first); count(lines, want) != 1 {
		t.Errorf("no line begins with %q:\n%s", want, strings.Join(lines, "\n"))
	}
}

func TestDevFreshForgets(t *testing.T) {
	t.Chdir(t.TempDir())
	begin := func(line string) bool { return strings.HasPrefix(line, "delivered ") }
	runDev(t, begin, "--orders", "3", "--pace", "1/s")
	code, lines, stderr := runDev(t, nil, "--orders", "0", "--fresh", "--exit-when-drained")
	if _, delivered, _, _ := sums(t, lines); code != 0 || delivered != 0 || count(lines, "2 orders are left") != 0 {
		t.Errorf("exit code %d, %q, %q", code, lines, stderr)
	}
}

func TestDevSendsToAnotherPartner(t *testing.T) {
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.Header.Get("X-Order-Id"), "-002") {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}))
	defer partner.Close()
	t.Chdir(t.TempDir())
	code, lines, stderr := runDev(t, nil, "--redis", "embedded", "--orders", "3", "--pace", "20/s",
		"--exit-when-drained", "--api-url", partner.URL)
	accepted, delivered, dead, _ := sums(t, lines)
	if code != 0 || accepted != 3 || delivered != 2 || dead != 1 {
		t.Errorf("exit code %d, %q, %q", code, lines[len(lines)-1], stderr)
	}
	if count(lines, "rejected ") != 1 {
		t.Errorf("no line for the order that was rejected:\n%s", strings.Join(lines, "\n"))
	}
}

func TestDevBusyPortNamesTheFlag(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, flag := range []string{"--listen", "--admin"} {
		t.Chdir(t.TempDir())
		code, _, stderr := runDev(t, nil, flag, l.Addr().String())
		if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "choose another with "+flag) {
			t.Errorf("%s: exit code %d, %q", flag, code, stderr)
		}
	}
}

func TestDevLeavesAQueueAtWorkAlone(t *testing.T) {
	addr := redistest.Start(t).Addr()
	_, err := devQueue(t, addr).Register(t.Context(), streamutil.Identity{
		Name: "the-real-one", Host: "elsewhere", PID: 1, Pace: streamutil.Every(time.Second), Lease: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	code, _, stderr := runDev(t, nil, "--redis", addr)
	if code != 1 || !strings.Contains(stderr, "in use by the consumer the-real-one") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestDevRefusesFlags(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"pace", []string{"--pace", "quick"}, "--pace"},
		{"orders", []string{"--orders", "-1"}, "--orders -1"},
		{"share", []string{"--api-fail", "1.5"}, "--api-fail 1.5"},
		{"latency", []string{"--api-latency", "-1s"}, "--api-latency -1s"},
		{"redis", []string{"--redis", "local"}, `--redis "local"`},
		{"fresh elsewhere", []string{"--redis", "127.0.0.1:1", "--fresh"}, "--fresh"},
		{"url", []string{"--api-url", "localhost"}, "--api-url"},
		{"share of a real partner", []string{"--api-url", "http://127.0.0.1:1/", "--api-fail", "0.5"}, "--api-url"},
		{"tokens", []string{"--redis", "embedded", "--set", "producer.tokens_file=x"}, "producer.tokens_file"},
		{"argument", []string{"now"}, "now"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, _, stderr := runDev(t, nil, tt.args...)
			if code != exitUsage || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, %q", code, stderr)
			}
			if _, err := os.Stat(devDir); err == nil {
				t.Error("files were made")
			}
		})
	}
}

func TestDevSaysWhenRedisIsAway(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := runDev(t, nil, "--redis", "127.0.0.1:1")
	if code != 1 || !strings.HasPrefix(stderr, "orderq: use --redis 127.0.0.1:1: ") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}
