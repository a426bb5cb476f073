package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"orderq/internal/redistest"
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
	s := &service{log: &logging{Logger: zap.NewNop()}, queue: queue, redisSeen: make(chan struct{}), stopsWithin: 40 * time.Second}
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
	until(t, socket, "STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000")
	next(t, socket, "WATCHDOG=1")
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What stands in the way is said in the status, and keeps readyz from saying yes.
func TestStatusSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for _, tt := range []struct {
		name     string
		given    []string
		password string
		says     string
	}{
		{"a newer form of the queue", []string{"HSET", "orderq:{orders}:control", "schema", "99"}, "", "upgrade it"},
		{"a wrong password", []string{"ACL", "SETUSER", "default", "resetpass", ">right"}, "wrong", "WRONGPASS"},
	} {
		redis.CLI(tt.given...)
		client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redis.Addr()}, Password: tt.password})
		defer client.Close()
		queue, err := streamutil.NewQueue(client, streamutil.QueueConfig{})
		if err != nil {
			t.Fatal(err)
		}
		s := &service{log: &logging{Logger: zap.NewNop()}, client: client, queue: queue, redisSeen: make(chan struct{})}
		s.reloadFault.Store(true)
		for _, part := range []string{"STATUS=waiting for " + queue.Redis(), tt.says, "old settings"} {
			if got := s.standing(); !strings.Contains(got, part) || strings.Contains(got, "\n") {
				t.Errorf("%s: the status is %q, want %q in it", tt.name, got, part)
			}
		}
		if err := s.contact(t.Context()); err == nil {
			t.Errorf("%s: it can work", tt.name)
		}
		w := httptest.NewRecorder()
		newAdminOn(s, nil).readyz(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: readyz says %d", tt.name, w.Code)
		}
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
