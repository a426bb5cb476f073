package redistest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// readyTimeout bounds the wait for a start, the loading of an append-only
	// file and a slow machine under the race detector included.
	readyTimeout = 20 * time.Second
	// startTries bounds how often another process may snatch the port that
	// was free a moment ago.
	startTries = 10
)

// errPortTaken: another process bound the port first.
var errPortTaken = errors.New("the port was taken by another process")

// process is a redis-server that can die and be run again. It knows no test.
type process struct {
	binary string
	dir    string
	args   []string
	port   int
	cmd    *exec.Cmd
	// gone is closed when the present cmd has ended; nil before the first.
	gone chan struct{}
}

func startProcess(dir string, args []string) (*process, error) {
	binary, err := findBinary()
	if err != nil {
		return nil, err
	}
	p := &process{binary: binary, dir: dir, args: args}
	for range startTries {
		if p.port, err = freePort(); err != nil {
			return nil, err
		}
		if err = p.run(); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func findBinary() (string, error) {
	binary := os.Getenv("ORDERQ_TEST_REDIS_SERVER")
	if binary == "" {
		binary = "redis-server"
	}
	path, err := exec.LookPath(binary)
	if err != nil {
		return "", fmt.Errorf("%s is not on the PATH; install it with: "+
			"sudo apt-get install -y redis-server (macOS: brew install redis)", binary)
	}
	return path, nil
}

func (p *process) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

func (p *process) logFile() string { return filepath.Join(p.dir, "redis.log") }

// run starts the server on p.port and returns when it answers as itself.
func (p *process) run() error {
	args := append([]string{
		"--port", strconv.Itoa(p.port), "--bind", "127.0.0.1", "--dir", p.dir,
		"--logfile", p.logFile(), "--save", "", "--appendonly", "no",
		"--enable-debug-command", "yes",
	}, p.args...)
	logged := p.logSize()
	p.cmd = exec.Command(p.binary, args...)
	dieWithParent(p.cmd)
	var out bytes.Buffer
	p.cmd.Stdout, p.cmd.Stderr = &out, &out
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("run %s: %w", p.binary, err)
	}
	gone := make(chan struct{})
	p.gone = gone
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait()
		close(gone)
	}(p.cmd)
	if err := p.awaitReady(); err != nil {
		_ = p.kill()
		log, _ := os.ReadFile(p.logFile())
		log = log[min(logged, len(log)):]
		if bytes.Contains(log, []byte("Address already in use")) {
			return errPortTaken
		}
		return fmt.Errorf("%w\n%s%s", err, out.Bytes(), log)
	}
	return nil
}

// awaitReady polls until the process we started, and not another that holds
// the port, answers commands and has loaded its data.
func (p *process) awaitReady() error {
	pid := []byte(fmt.Sprintf("process_id:%d\r\n", p.cmd.Process.Pid))
	deadline := time.After(readyTimeout)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := do(p.addr(), []string{"PING"}); err == nil {
			info, err := do(p.addr(), []string{"INFO", "server"})
			if s, _ := info.(string); err == nil && bytes.Contains([]byte(s), pid) {
				return nil
			}
		}
		select {
		case <-p.gone:
			return errors.New("redis-server ended at once")
		case <-deadline:
			return fmt.Errorf("redis-server did not answer within %v", readyTimeout)
		case <-tick.C:
		}
	}
}

// kill ends the server, frozen or not, and waits for its end.
func (p *process) kill() error {
	if p.cmd == nil || p.cmd.Process == nil {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-p.gone
	return nil
}

func (p *process) logSize() int {
	info, err := os.Stat(p.logFile())
	if err != nil {
		return 0
	}
	return int(info.Size())
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
