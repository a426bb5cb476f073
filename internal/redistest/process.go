package redistest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	first  []string // what has to come before all options
	args   []string
	// follows are the options that make it a replica; nil if it starts as none.
	follows []string
	env     []string // added to the environment
	port    int
	// bus is a second port, which the nodes of a cluster talk to each other by.
	// The usual one, port + 10000, may be above the last port there is.
	bus     int
	cluster bool
	cmd     *exec.Cmd
	// gone is closed when the present cmd has ended; nil before the first.
	gone chan struct{}
}

func startProcess(dir string, args []string) (*process, error) {
	p := &process{dir: dir, args: args}
	if err := p.start(); err != nil {
		return nil, err
	}
	return p, nil
}

// start finds the binary and a free port, and runs the server for the first time.
func (p *process) start() error {
	var err error
	if p.binary, err = findBinary(); err != nil {
		return err
	}
	for range startTries {
		if err = p.choosePorts(); err != nil {
			return err
		}
		if err = p.run(); !errors.Is(err, errPortTaken) {
			break
		}
	}
	return err
}

func (p *process) choosePorts() (err error) {
	if p.port, err = freePort(); err != nil || !p.cluster {
		return err
	}
	p.bus, err = freePort()
	return err
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

func (p *process) commandLine() []string {
	args := append(slices.Clone(p.first),
		"--port", strconv.Itoa(p.port), "--bind", "127.0.0.1", "--dir", p.dir,
		"--logfile", p.logFile(), "--save", "", "--appendonly", "no",
		"--enable-debug-command", "yes")
	if p.cluster {
		args = append(args, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(p.bus))
	}
	return slices.Concat(args, p.args, p.follows)
}

// run starts the server on p.port and returns when it answers as itself.
func (p *process) run() error {
	logged := p.logSize()
	p.cmd = exec.Command(p.binary, p.commandLine()...)
	p.cmd.Env = append(os.Environ(), p.env...)
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

func (p *process) running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
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
