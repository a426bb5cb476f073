package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
)

// TestUnixSockets serves a shop and an operator on sockets, in the place of some
// that a killed process has left behind.
func TestUnixSockets(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	dir := t.TempDir()
	orders, admin := filepath.Join(dir, "o"), filepath.Join(dir, "a")
	leaveSocket(t, orders)
	p := startOrderq(t, "producer", redisConfig(redis.Addr()), "producer.listen=unix:"+orders, "producer.admin=unix:"+admin)
	p.line(t, connected)
	if at := p.line(t, takesOrders)["address"]; at != "unix:"+orders {
		t.Errorf("the log says it takes orders at %v", at)
	}
	for _, tt := range []struct {
		socket, method, path string
		want                 int
	}{
		{orders, "POST", "/v1/orders", http.StatusAccepted},
		{admin, "GET", "/readyz", http.StatusOK},
		{admin, "GET", "/loglevel", http.StatusOK},
		{admin, "GET", "/debug/pprof/cmdline", http.StatusOK},
	} {
		if got := askSocket(t, tt.socket, tt.method, tt.path); got != tt.want {
			t.Errorf("%s %s = %d, want %d", tt.method, tt.path, got, tt.want)
		}
		info, err := os.Stat(tt.socket)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != fs.ModeSocket|0o660 {
			t.Errorf("%s has the mode %v, want a socket of 0660", tt.socket, info.Mode())
		}
	}
	if code := p.end(t); code != exitOK {
		t.Errorf("exit code = %d, want 0", code)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if strings.Contains(p.log.String(), "anybody") || strings.Contains(p.log.String(), "in the clear") {
		t.Error("a socket is no open door")
	}
}

// leaveSocket leaves what a process does that was killed.
func leaveSocket(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func askSocket(t *testing.T, socket, method, path string) int {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://orderq"+path, strings.NewReader(`{"order_id":"A-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestSocketsThatCannotBeBound(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used")
	l, err := listen("k", "unix:"+used, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, why := range map[string]string{
		used:                      "another process listens there",
		file:                      "bind: address already in use",
		filepath.Join(dir, "n/s"): "bind: no such file or directory",
	} {
		_, err := listen("producer.listen", "unix:"+path, 1)
		want := fmt.Sprintf("listen on unix:%s: %s; give producer.listen another address, as in --set producer.listen=unix:PATH", path, why)
		if err == nil || err.Error() != want {
			t.Errorf("error = %v\nwant    %s", err, want)
		}
	}
	if text, err := os.ReadFile(file); string(text) != "mine" {
		t.Errorf("the file holds %q (%v) now", text, err)
	}
	if conn, err := net.Dial("unix", used); err != nil {
		t.Errorf("the socket in use was touched: %v", err)
	} else {
		_ = conn.Close()
	}
}

// TestConnectionsAreBounded: one more client waits until another has left.
func TestConnectionsAreBounded(t *testing.T) {
	l, err := listen("k", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	accepted := make(chan net.Conn)
	for range 2 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		go func() {
			conn, _ := l.Accept()
			accepted <- conn
		}()
	}
	first := <-accepted
	select {
	case <-accepted:
		t.Fatal("there are two connections, want one")
	case <-time.After(100 * time.Millisecond):
	}
	_ = first.Close()
	_ = (<-accepted).Close()
}

func TestIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.1.2.3:1": true, "[::1]:1": true,
		"0.0.0.0:1": false, "[::]:1": false, ":1": false, "192.0.2.1:1": false, "[2001:db8::1]:1": false,
	} {
		at, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := isLoopback(at); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
	if !isLoopback(&net.UnixAddr{Name: "/s", Net: "unix"}) {
		t.Error("only this machine reaches a socket")
	}
}
