package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// TestReload changes the file of a running consumer.
func TestReload(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "orderq.yaml")
	write := func(text string) {
		t.Helper()
		text = redisConfig(redis.Addr()) + text
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("consumer: {lease: 2s, pace: 1/s, api: {url: 'http://127.0.0.1:1', timeout: 1s}}\n")
	p := runProgram(t, nil, "consumer", "--config", file)
	p.line(t, "registered")
	pace := func() string {
		client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redis.Addr()}})
		defer client.Close()
		q, err := streamutil.NewQueue(client, streamutil.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := q.Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.Pace.String()
	}

	write("queue: {name: others}\nlog: {level: debug}\nconsumer: {lease: 2s, pace: 20/s, api: {url: 'http://127.0.0.1:1', timeout: 1s}}\n")
	p.signal(t, syscall.SIGHUP)
	got := p.line(t, "configuration reloaded")
	want := map[string]string{"applied": "[consumer.pace log.level]", "after_a_restart": "[queue.name]"}
	for key, want := range want {
		if got := fmt.Sprint(got[key]); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	redistest.Eventually(t, "the new pace is in force", func() bool { return pace() == "50ms" })

	write("log: {level: loud}\nconsumer: {paces: 1/s}\n")
	p.signal(t, syscall.SIGHUP)
	faults := fmt.Sprint(p.line(t, "the configuration was not reloaded; the settings of before stay in force")["faults"])
	for _, fault := range []string{"log.level", "consumer.paces"} {
		if !strings.Contains(faults, fault) {
			t.Errorf("the log does not name %s: %s", fault, faults)
		}
	}
	if got := pace(); got != "50ms" {
		t.Errorf("pace %s after a bad file, want 50ms", got)
	}
	p.terminate(t)
}

func TestChangedKeys(t *testing.T) {
	before, after := defaultConfig(), defaultConfig()
	after.Redis.Password, after.Consumer.API.Headers = "secret", map[string]string{"X-Key": "secret"}
	after.Consumer.Pace = streamutil.Unlimited
	want := []string{"redis.password", "consumer.pace", "consumer.api.headers"}
	if diff := cmp.Diff(want, changedKeys(&before, &after)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if same := changedKeys(&before, &before); same != nil {
		t.Errorf("nothing changed, and yet %v", same)
	}
}

// withSocket hands a listener over as systemd does.
func withSocket(file *os.File) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.Args = append([]string{"sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"`, c.Path}, c.Args[1:]...)
		c.Path, c.ExtraFiles = "/bin/sh", []*os.File{file}
	}
}
