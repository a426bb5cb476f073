package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"orderq/internal/redistest"
)

// halfSent is a submission whose client is not done with it.
type halfSent struct {
	id   string
	conn net.Conn
	in   *bufio.Reader
	rest string
}

// sendHalf returns when the server has begun to read the body.
func sendHalf(t *testing.T, host, id string) *halfSent {
	t.Helper()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	h := &halfSent{id: id, conn: conn, in: bufio.NewReader(conn)}
	body := fmt.Sprintf(`{"order_id":%q}`, id)
	fmt.Fprintf(conn, "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		if line, err := h.in.ReadString('\n'); line != want {
			t.Fatalf("read %q (%v), want %q", line, err, want)
		}
	}
	fmt.Fprint(conn, body[:5])
	h.rest = body[5:]
	return h
}

func (h *halfSent) finish(t *testing.T) {
	t.Helper()
	fmt.Fprint(h.conn, h.rest)
	resp, err := http.ReadResponse(h.in, nil)
	if err != nil {
		t.Fatalf("%s: %v", h.id, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("%s: %s, want 202: %s", h.id, resp.Status, text)
	}
}

// TestSIGTERM stops a real process while two submissions are half sent. Until both
// have ended it says that it goes; then nobody can reach it any more.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	log := &lockedBuffer{}
	p := &process{log: log}
	cmd := exec.Command(filepath.Join(programDir, "orderq"), "producer", "--set", "redis.addresses="+redis.Addr(),
		"--set", "producer.listen=127.0.0.1:0", "--set", "producer.admin=127.0.0.1:0")
	cmd.Dir, cmd.Stderr = t.TempDir(), log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // has ended, if all is well
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	orders, admin := p.address(t, takesOrders), p.address(t, servesMetrics)
	p.line(t, connected)
	wantStatus(t, http.StatusOK, "GET", orders+"/readyz", "")
	host := strings.TrimPrefix(orders, "http://")
	early, late := sendHalf(t, host, "early"), sendHalf(t, host, "late")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.line(t, "stopping: no new clients")
	redistest.Eventually(t, "the admin's readyz says no", func() bool {
		status, _ := get(t, "GET", admin+"/readyz", "")
		return status == http.StatusServiceUnavailable
	})
	wantGoing := func() {
		t.Helper()
		wantStatus(t, http.StatusServiceUnavailable, "GET", orders+"/readyz", "")
		wantStatus(t, http.StatusOK, "GET", orders+"/livez", "")
		if text := wantStatus(t, http.StatusServiceUnavailable, "POST", orders+"/v1/orders", `{"order_id":"new"}`); !strings.Contains(text, "urn:orderq:problem:draining") {
			t.Errorf("a new order got %s", text)
		}
	}
	redistest.Eventually(t, "readyz says no", func() bool {
		status, _ := get(t, "GET", orders+"/readyz", "")
		return status == http.StatusServiceUnavailable
	})
	wantGoing()
	early.finish(t)
	wantGoing()
	late.finish(t)
	redistest.Eventually(t, "nobody listens", func() bool {
		conn, err := net.Dial("tcp", host)
		if err == nil {
			_ = conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process ended with %v, want 0", err)
	}
	for _, id := range []string{"early", "late"} {
		if state := redis.CLI("HGET", "orderq:{orders}:order:"+id, "state"); !strings.Contains(state, "waiting") {
			t.Errorf("%s is %q in Redis, want it waiting", id, state)
		}
	}
	if n := redis.CLI("XLEN", "orderq:{orders}:stream"); n != "2" {
		t.Errorf("%s orders in Redis, want 2", n)
	}
}
