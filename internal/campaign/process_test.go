package campaign

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// process is one orderq that can be killed, frozen and started again. Its
// methods end the test when they fail, so call them from its goroutine.
type process struct {
	t      *testing.T
	name   string
	binary string
	args   []string
	env    []string
	log    string // file that all its starts append to
	cmd    *exec.Cmd
	// gone is closed when the present cmd has ended.
	gone chan struct{}
}

func (p *process) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s %s: %v", what, p.name, err)
	}
}

// start runs the program; starting a running one does nothing.
func (p *process) start() {
	p.t.Helper()
	if p.running() {
		return
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	p.must("open log of", err)
	defer log.Close()
	cmd := exec.Command(p.binary, p.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, log, log
	dieWithParent(cmd)
	p.must("start", cmd.Start())
	gone := make(chan struct{})
	p.cmd, p.gone = cmd, gone
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
}

func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// mustRun ends the test, with what the process said, if it has ended by itself.
func (p *process) mustRun() {
	p.t.Helper()
	if !p.running() {
		said, _ := os.ReadFile(p.log)
		p.t.Fatalf("%s has ended:\n%s", p.name, said)
	}
}

// signal sends one; that the process has ended meanwhile is no error.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.must(s.String(), err)
	}
}

// kill is kill -9; it returns when the process is gone, frozen or not.
func (p *process) kill() {
	p.t.Helper()
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	<-p.gone
}

// terminate asks for an orderly end and expects exit code 0 within the time.
func (p *process) terminate(within time.Duration) error {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(within):
		return fmt.Errorf("%s did not end within %v of SIGTERM", p.name, within)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with exit code %d", p.name, code)
	}
	return nil
}
