package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"orderq/internal/redistest"
)

const openedAnew = "log file opened anew"

// withUmask runs the program as the shipped unit does.
func withUmask(c *exec.Cmd) {
	c.Args = append([]string{"sh", "-c", `umask 077; exec "$0" "$@"`, c.Path}, c.Args[1:]...)
	c.Path = "/bin/sh"
}

// TestRotation does what logrotate does, again and again, while orders flow: it
// renames the file, signals, and goes on. No line may be lost, cut or doubled.
func TestRotation(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "orderq.log")
	p := runProgram(t, withUmask, "producer", "--set", "redis.addresses="+redis.Addr(),
		"--set", "log.level=debug", "--set", "log.file="+file)
	orders := "http://" + inFile(t, file, takesOrders)["address"].(string)
	admin := "http://" + inFile(t, file, servesMetrics)["address"].(string)
	inFile(t, file, connected)

	const clients, each = 4, 300
	var posted atomic.Int64
	var g errgroup.Group
	for c := range clients {
		g.Go(func() error {
			for i := range each {
				body := fmt.Sprintf(`{"order_id":"R-%d-%d"}`, c, i)
				resp, err := http.Post(orders+"/v1/orders", "application/json", strings.NewReader(body))
				if err != nil {
					return err
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusAccepted {
					return fmt.Errorf("R-%d-%d: %s", c, i, resp.Status)
				}
				posted.Add(1)
			}
			return nil
		})
	}
	files := []string{file}
	for n, signal := range []os.Signal{syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGUSR2} {
		redistest.Eventually(t, "orders flow", func() bool { return posted.Load() > int64(n*clients*each/6) })
		old := file + "." + strconv.Itoa(n)
		if err := os.Rename(file, old); err != nil {
			t.Fatal(err)
		}
		p.signal(t, signal)
		inFile(t, file, openedAnew)
		files = append(files, old)
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	_, counted := get(t, "GET", admin+"/metrics", "")
	checkRotated(t, files, clients*each, counted)
	p.terminate(t)
	if p.log.String() != "" {
		t.Errorf("stderr has %q, want nothing beside the file", p.log)
	}
}

func checkRotated(t *testing.T, files []string, orders int, metrics string) {
	t.Helper()
	seen, levels := map[any]int{}, map[any]int{}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
			t.Errorf("%s: mode %v (%v), want 0640", file, info.Mode(), err)
		}
		text, _ := os.ReadFile(file)
		here := 0
		for _, line := range logLines(t, string(text)) {
			levels[line["level"]]++
			if line["msg"] == "order accepted" {
				seen[line["order_id"]]++
				here++
			}
		}
		if here == 0 {
			t.Errorf("%s has no order: the rotation was not during the flow", file)
		}
	}
	if len(seen) != orders {
		t.Errorf("%d orders have a line, want %d", len(seen), orders)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%v has %d lines, want 1", id, n)
		}
	}
	for _, level := range []string{"debug", "info", "warn", "error"} {
		want := fmt.Sprintf("orderq_log_messages_total{level=%q} %d\n", level, levels[level])
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics does not say %s", want)
		}
	}
}

// TestReopenThatFails: what cannot be opened anew leaves the old file in use,
// which says so.
func TestReopenThatFails(t *testing.T) {
	set := setting{set: []string{"log.file=x.log"}}
	log, err := newLogging(set.mustLoad(t), &bytes.Buffer{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer log.close()
	if err := os.Rename("x.log", "x.log.1"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("x.log", 0o700); err != nil {
		t.Fatal(err)
	}
	log.reopen()
	log.Info("to the old one")
	if err := os.Remove("x.log"); err != nil {
		t.Fatal(err)
	}
	log.reopen()
	log.Info("to the new one")
	for file, want := range map[string]string{
		"x.log.1": `"the log file cannot be opened anew; .*"reason":"is a directory"\}\n.*"to the old one"\}\n$`,
		"x.log":   `^\{.*"` + openedAnew + `".*\n.*"to the new one"\}\n$`,
	} {
		if text, err := os.ReadFile(file); err != nil || !regexp.MustCompile(want).Match(text) {
			t.Errorf("%s holds %q (%v), want %s", file, text, err, want)
		}
	}
}

// TestHintsDoNoHarm: without a log file there is nothing to open, and the
// process goes on. SIGUSR1 means nothing to us.
func TestHintsDoNoHarm(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for _, command := range []string{"producer", "consumer"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			p := runProgram(t, nil, command, "--set", "redis.addresses="+redis.Addr(), "--set", "consumer.api.url=http://127.0.0.1:1")
			admin := p.address(t, servesMetrics)
			for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2} {
				p.signal(t, s)
				wantStatus(t, http.StatusOK, "GET", admin+"/livez", "")
			}
			p.line(t, connected)
			p.terminate(t) // a signal that were to end it would come before this one
			if strings.Contains(p.log.String(), "anew") {
				t.Error("it opened a file")
			}
			if files, err := fs.Glob(os.DirFS(p.cmd.Dir), "*"); err != nil || len(files) > 0 {
				t.Errorf("it made %v (%v)", files, err)
			}
		})
	}
}
