package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"orderq/internal/redistest"
)

// program is orderq as users get it, in a process of its own.
type program struct {
	*process // its log is what it writes to stderr
	cmd      *exec.Cmd
	gone     chan struct{}
}

// runProgram starts orderq with free ports for its listeners. In the directory
// that it works in nothing is but what change puts there.
func runProgram(t *testing.T, change func(*exec.Cmd), args ...string) *program {
	t.Helper()
	for _, key := range []string{"producer.listen", "producer.admin", "consumer.admin"} {
		args = append(args, "--set", key+"=127.0.0.1:0")
	}
	log := &lockedBuffer{}
	p := &program{process: &process{log: log}, gone: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(programDir, "orderq"), args...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = t.TempDir(), []string{"PATH=" + os.Getenv("PATH")}, log
	if change != nil {
		change(p.cmd)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.gone)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // has ended, if all is well
		<-p.gone
		if t.Failed() {
			t.Logf("orderq %s wrote to stderr:\n%s", args[0], log)
		}
	})
	return p
}

func (p *program) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v: %v", s, err)
	}
}

// terminate asks for an orderly end, and wants it.
func (p *program) terminate(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	<-p.gone
	if code := p.cmd.ProcessState.ExitCode(); code != exitOK {
		t.Errorf("ended with %v, want exit code 0", p.cmd.ProcessState)
	}
}

// logLines gives the fields of each line, all of which have to be whole.
func logLines(t *testing.T, text string) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range strings.Lines(text) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("not a line of a log (%v): %q", err, line)
		}
		lines = append(lines, fields)
	}
	return lines
}

// inFile waits for a line of a log file that has the message.
func inFile(t *testing.T, path, msg string) map[string]any {
	t.Helper()
	var found map[string]any
	redistest.Eventually(t, msg+" in "+filepath.Base(path), func() bool {
		text, _ := os.ReadFile(path)
		whole := text[:strings.LastIndexByte(string(text), '\n')+1]
		for _, line := range logLines(t, string(whole)) {
			if line["msg"] == msg {
				found = line
			}
		}
		return found != nil
	})
	return found
}
