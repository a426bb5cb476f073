package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"orderq/internal/embedded"
	"orderq/streamutil"
)

// devRedis is the Redis behind orderq dev.
type devRedis struct {
	addr string
	// about says what it is, for people.
	about string
	// gone is closed when it ended by itself; nil if that cannot be seen.
	gone <-chan struct{}
	stop func() error
}

const (
	// redisReady bounds the start of redis-server, the loading of what the last
	// run left included.
	redisReady = 30 * time.Second
	// redisStop bounds its end; a redis-server that takes longer is killed.
	redisStop = 10 * time.Second
	// portTries is how often another process may take the port that was free.
	portTries = 5
)

// startDevRedis gives the Redis that --redis asks for. A redis-server keeps its
// data in dir and holds lock as long as it runs.
func startDevRedis(ctx context.Context, choice, dir string, lock *os.File) (*devRedis, error) {
	if choice == "embedded" {
		return startEmbedded("as --redis asked")
	}
	if choice != "auto" {
		return useRedis(ctx, choice)
	}
	binary, version, missing := findRedisServer(ctx)
	if missing != "" {
		return startEmbedded(missing)
	}
	return startRedisServer(ctx, binary, version, dir, lock)
}

// useRedis takes a Redis that runs already, if it answers.
func useRedis(ctx context.Context, addr string) (*devRedis, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return nil, fmt.Errorf("use --redis %s: %w", addr, err)
	}
	return &devRedis{addr: addr, about: "as --redis asked", stop: func() error { return nil }}, nil
}

func startEmbedded(why string) (*devRedis, error) {
	s, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &devRedis{
		addr:  s.Addr(),
		about: "embedded in this process (" + why + "); it forgets everything at the end",
		stop:  func() error { s.Close(); return nil },
	}, nil
}

var redisVersion = regexp.MustCompile(`v=((\d+)\.\d+\.\d+)`)

// findRedisServer looks for a redis-server that is new enough; missing says
// why there is none.
func findRedisServer(ctx context.Context) (binary, version, missing string) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return "", "", "there is no redis-server on the PATH"
	}
	out, err := exec.CommandContext(ctx, binary, "--version").Output()
	found := redisVersion.FindSubmatch(out)
	if err != nil || found == nil {
		return "", "", binary + " does not tell its version"
	}
	if major, _ := strconv.Atoi(string(found[2])); major < 7 {
		return "", "", fmt.Sprintf("%s is %s, and 7.0 is the least", binary, found[1])
	}
	return binary, string(found[1]), ""
}

// startRedisServer runs a redis-server with an append-only file in dir, on a
// port that is free; args are added to its command line.
func startRedisServer(ctx context.Context, binary, version, dir string, lock *os.File, args ...string) (*devRedis, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make a folder for Redis: %w", err)
	}
	for range portTries {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		r, err := runRedisServer(ctx, binary, dir, port, lock, args)
		if errors.Is(err, errPortTaken) {
			continue
		}
		if err != nil {
			return nil, err
		}
		r.about = fmt.Sprintf("redis-server %s with an append-only file in %s", version, dir)
		return r, nil
	}
	return nil, errPortTaken
}

var errPortTaken = errors.New("start redis-server: other programs took every port that was free")

func runRedisServer(ctx context.Context, binary, dir string, port int, lock *os.File, args []string) (*devRedis, error) {
	const logName = "redis.log"
	log := filepath.Join(dir, logName)
	_ = os.Remove(log) // that of the last run
	// Not CommandContext: the end of ctx must not kill it before all else ended.
	cmd := exec.Command(binary, append([]string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1",
		"--appendonly", "yes", "--save", "", "--logfile", logName, "--daemonize", "no",
	}, args...)...)
	cmd.Dir = dir
	// It inherits the lock, so that nobody starts a second one on these files.
	cmd.ExtraFiles = []*os.File{lock}
	ownProcessGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(gone)
	}()
	r := &devRedis{
		addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), gone: gone,
		stop: func() error { return stopProcess(cmd.Process, gone) },
	}
	if err := r.awaitReady(ctx, log); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

// awaitReady waits until the server answers and has loaded its data.
func (r *devRedis) awaitReady(ctx context.Context, log string) error {
	ctx, cancel := context.WithTimeout(ctx, redisReady)
	defer cancel()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{r.addr}})
	defer client.Close()
	for {
		err := client.Ping(ctx)
		select {
		case <-r.gone:
			return redisEnded(log)
		default:
		}
		if err == nil {
			return nil
		}
		if sleep(ctx, 20*time.Millisecond) != nil {
			return fmt.Errorf("wait for redis-server: %w; see %s", err, log)
		}
	}
}

// redisEnded says why redis-server ended, as far as its log tells.
func redisEnded(log string) error {
	text, _ := os.ReadFile(log)
	if strings.Contains(string(text), "Address already in use") {
		return errPortTaken
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("redis-server ended: %s; see %s", strings.TrimSpace(lines[len(lines)-1]), log)
}

// stopProcess asks a process to end, which makes Redis write its file out, and
// waits for that.
func stopProcess(p *os.Process, gone <-chan struct{}) error {
	if err := p.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop redis-server: %w", err)
	}
	select {
	case <-gone:
		return nil
	case <-time.After(redisStop):
		_ = p.Kill()
		<-gone
		return fmt.Errorf("redis-server did not end within %v and was killed", redisStop)
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
