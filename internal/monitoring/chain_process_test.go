//go:build prometheus && linux

package monitoring

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tool is a program that deploy/prometheus/fetch.sh gets.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../.tools/prometheus/bin", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// run starts a program that ends with the test, and with its process, however
// that ends. What it says is shown if the test fails.
func run(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	said := &strings.Builder{}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = filepath.Dir(program) // where Alertmanager finds its templates
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s %s said:\n%s", program, strings.Join(args, " "), said)
		}
	})
	return cmd
}

// kill is kill -9.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// await asks again and again whether cond holds, and ends the test after the time.
func await(t *testing.T, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", within, what)
		case <-tick.C:
		}
	}
}

// awaitReady waits until the address answers 200.
func awaitReady(t *testing.T, url string) {
	t.Helper()
	await(t, time.Minute, url+" answers", func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// adapt copies a file that we ship into a folder, with some words replaced, each
// of which must be there.
func adapt(t *testing.T, name, folder string, oldNew ...string) {
	t.Helper()
	text := read(t, filepath.Join(rulesDir, name))
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("%s has no %q", name, oldNew[i])
		}
		text = strings.ReplaceAll(text, oldNew[i], oldNew[i+1])
	}
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
