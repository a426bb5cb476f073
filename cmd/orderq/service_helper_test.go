package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"orderq/internal/redistest"
)

// process is orderq running inside the test, with a log to read.
type process struct {
	log  *lockedBuffer
	stop context.CancelFunc
	code chan int
}

// lockedBuffer is a buffer that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startOrderq runs a command with a configuration file of its own. Listeners
// get a free port unless set says otherwise. When the test ends, so does the
// command.
func startOrderq(t *testing.T, command, config string, set ...string) *process {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orderq.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{command, "--config", path}
	for _, key := range []string{"producer.listen", "producer.admin", "consumer.admin"} {
		args = append(args, "--set", key+"=127.0.0.1:0")
	}
	for _, s := range set {
		args = append(args, "--set", s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{log: &lockedBuffer{}, stop: cancel, code: make(chan int, 1)}
	a := &app{stdin: strings.NewReader(""), stdout: p.log, stderr: p.log}
	go func() { p.code <- a.run(ctx, args) }()
	t.Cleanup(func() {
		p.end(t)
		if t.Failed() {
			t.Logf("log of orderq %s:\n%s", command, p.log)
		}
	})
	return p
}

// end stops the process as a signal does and gives its exit code. It may be
// called again.
func (p *process) end(t *testing.T) int {
	t.Helper()
	p.stop()
	return p.exit()
}

// exit waits until the process ends by itself.
func (p *process) exit() int {
	code := <-p.code
	p.code <- code
	return code
}

// line waits for a line of the log and gives its fields.
func (p *process) line(t *testing.T, msg string) map[string]any {
	t.Helper()
	var fields map[string]any
	redistest.Eventually(t, "log line "+msg, func() bool {
		for line := range strings.Lines(p.log.String()) {
			var f map[string]any
			if json.Unmarshal([]byte(line), &f) == nil && f["msg"] == msg {
				fields = f
				return true
			}
		}
		return false
	})
	return fields
}

// address waits until a listener is bound and gives its URL.
func (p *process) address(t *testing.T, msg string) string {
	t.Helper()
	address, _ := p.line(t, msg)["address"].(string)
	return "http://" + address
}
