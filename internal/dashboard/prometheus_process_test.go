//go:build prometheus && linux

package dashboard_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// process is a program beside the test. It dies with the test.
type process struct {
	t            *testing.T
	name, binary string
	args         []string
	log          string
	cmd          *exec.Cmd
	gone         chan struct{}
}

func (p *process) start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(p.binary, p.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(p.log)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	gone := make(chan struct{})
	p.cmd, p.gone = cmd, gone
	p.t.Cleanup(p.kill)
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
}

// mustRun ends the test, with what the program said, if it has ended by itself.
func (p *process) mustRun() {
	p.t.Helper()
	select {
	case <-p.gone:
		said, _ := os.ReadFile(p.log)
		p.t.Fatalf("%s has ended:\n%s", p.name, said)
	default:
	}
}

// kill is kill -9; it returns when the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

// build makes the program as users get it.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "orderq/cmd/orderq").CombinedOutput(); err != nil {
		t.Fatalf("build orderq: %v\n%s", err, out)
	}
	return filepath.Join(dir, "orderq")
}
