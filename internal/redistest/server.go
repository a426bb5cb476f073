package redistest

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// Server is a running redis-server, bound to the test that asked for it. Its
// methods end that test when they fail, so call them from its goroutine.
type Server struct {
	t     testing.TB
	p     *process
	clock *Clock // nil if it cannot be shifted
}

// Start runs a redis-server without persistence, with DEBUG allowed, and waits
// until it answers. Args are added to its command line and win over these
// defaults: Start(t, "--appendonly", "yes"). It is killed when the test ends.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return serve(t, &process{dir: t.TempDir(), args: args})
}

// serve runs a process for a test.
func serve(t testing.TB, p *process) *Server {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatalf("start a Redis for the test: %v", err)
	}
	t.Cleanup(func() { _ = p.kill() })
	return &Server{t: t, p: p}
}

// Addr is where the server listens: 127.0.0.1:PORT. It outlives restarts.
func (s *Server) Addr() string { return s.p.addr() }

// Dir is the server's working directory, where an append-only file would be.
func (s *Server) Dir() string { return s.p.dir }

// PID is the server's process id. It changes with every Restart.
func (s *Server) PID() int { return s.p.cmd.Process.Pid }

// Kill ends the server as kill -9 does and waits until it is gone. Killing a
// dead server does nothing.
func (s *Server) Kill() {
	s.t.Helper()
	s.must("kill", s.p.kill())
}

// Restart runs the server again on the same port, in the same directory, with
// the same arguments, and waits until it has loaded its data. One that still
// runs is killed first.
func (s *Server) Restart() {
	s.t.Helper()
	s.must("kill", s.p.kill())
	s.must("restart", s.p.run())
}

// Stop freezes the server with SIGSTOP: connections stay, answers do not come.
func (s *Server) Stop() {
	s.t.Helper()
	s.must("stop", s.p.cmd.Process.Signal(syscall.SIGSTOP))
}

// Continue wakes a frozen server.
func (s *Server) Continue() {
	s.t.Helper()
	s.must("continue", s.p.cmd.Process.Signal(syscall.SIGCONT))
}

// Do sends one command over a connection of its own. The reply is a string,
// an int64, nil, or a []any of these; an error reply is an error.
func (s *Server) Do(args ...string) (any, error) { return do(s.p.addr(), args) }

// CLI sends one command and gives its reply as redis-cli would print it into a
// pipe: one line an element, nested arrays flattened, nil an empty line. An
// error fails the test.
func (s *Server) CLI(args ...string) string {
	s.t.Helper()
	reply, err := s.Do(args...)
	s.must(strings.Join(args, " "), err)
	return render(reply)
}

// Log is what the server wrote to its log so far.
func (s *Server) Log() string {
	b, _ := os.ReadFile(s.p.logFile())
	return string(b)
}

func (s *Server) must(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("redis %s: %s: %v", s.p.addr(), what, err)
	}
}

func render(reply any) string {
	switch v := reply.(type) {
	case nil:
		return ""
	case []any:
		lines := make([]string, len(v))
		for i, e := range v {
			lines[i] = render(e)
		}
		return strings.Join(lines, "\n")
	default:
		return fmt.Sprint(v)
	}
}
