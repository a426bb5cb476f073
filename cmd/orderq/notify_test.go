package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"orderq/streamutil"
)

// TestSystemdIsTold stands in for systemd: a socket that reads messages.
func TestSystemdIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))

	client := streamutil.NewClient(streamutil.ClientConfig{})
	defer client.Close()
	queue, err := streamutil.NewQueue(client, streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s := &service{log: &logging{Logger: zap.NewNop()}, queue: queue, redisSeen: make(chan struct{})}
	var hangs atomic.Bool
	s.stuck = func(time.Duration) string {
		if hangs.Load() {
			return "dispatcher"
		}
		return ""
	}
	ctx, stop := context.WithCancel(t.Context())
	beside, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.notify(ctx, beside) }()

	close(s.redisSeen)
	next(t, socket, "READY=1\nSTATUS=running on redis 127.0.0.1:6379 db 0")
	next(t, socket, "WATCHDOG=1")
	hangs.Store(true)
	silence(t, socket)
	hangs.Store(false)
	next(t, socket, "WATCHDOG=1")
	stop()
	until(t, socket, "STOPPING=1")
	next(t, socket, "WATCHDOG=1")
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func receive(t *testing.T, socket *net.UnixConn) string {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1024)
	n, err := socket.Read(buf)
	if err != nil {
		t.Fatalf("read from the socket: %v", err)
	}
	return string(buf[:n])
}

// silence is when nothing comes for several times the interval; what was under way
// may come first.
func silence(t *testing.T, socket *net.UnixConn) {
	t.Helper()
	buf := make([]byte, 1024)
	for range 20 {
		if err := socket.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := socket.Read(buf); errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
	t.Fatal("systemd is told that a stuck service lives")
}

func next(t *testing.T, socket *net.UnixConn, want string) {
	t.Helper()
	if got := receive(t, socket); got != want {
		t.Fatalf("systemd was told %q, want %q", got, want)
	}
}

func until(t *testing.T, socket *net.UnixConn, want string) {
	t.Helper()
	for {
		got := receive(t, socket)
		if got == want {
			return
		}
		if !strings.HasPrefix(got, "WATCHDOG") {
			t.Fatalf("systemd was told %q, want %q", got, want)
		}
	}
}
