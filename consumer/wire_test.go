package consumer

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"orderq/streamutil"
)

// wire is a partner below HTTP: it counts what really comes over the line.
type wire struct {
	listener net.Listener
	over     chan struct{} // closed when the test ends
	wg       sync.WaitGroup

	mu       sync.Mutex
	conns    []net.Conn
	requests int
	bytes    int
}

// newWire calls serve for every connection, with its number from 1.
func newWire(t *testing.T, serve func(c *wireConn, n int)) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l, over: make(chan struct{})}
	w.wg.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.conns = append(w.conns, raw)
			n := len(w.conns)
			w.mu.Unlock()
			w.wg.Go(func() {
				defer raw.Close()
				c := &wireConn{Conn: raw, wire: w}
				c.in = bufio.NewReader(c)
				serve(c, n)
			})
		}
	})
	t.Cleanup(func() {
		close(w.over)
		l.Close()
		w.mu.Lock()
		for _, c := range w.conns {
			c.Close()
		}
		w.mu.Unlock()
		w.wg.Wait()
	})
	return w
}

// newWireOf is newWire with or without TLS, and how to call it.
func newWireOf(t *testing.T, secure bool, serve func(c *wireConn, n int)) (*wire, HTTPConfig) {
	t.Helper()
	if !secure {
		w := newWire(t, serve)
		return w, HTTPConfig{URL: w.url()}
	}
	known := httptest.NewTLSServer(nil) // for its certificate
	known.Close()
	w := newWire(t, func(c *wireConn, n int) {
		c.line = &heldConn{Conn: c.Conn}
		c.Conn = tls.Server(c.line, &tls.Config{Certificates: known.TLS.Certificates})
		serve(c, n)
	})
	roots := x509.NewCertPool()
	roots.AddCert(known.Certificate())
	return w, HTTPConfig{URL: "https://" + w.listener.Addr().String(), TLS: &tls.Config{RootCAs: roots}}
}

func (w *wire) url() string { return "http://" + w.listener.Addr().String() }

// counts gives connections, whole requests and bytes so far.
func (w *wire) counts() (conns, requests, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns), w.requests, w.bytes
}

type wireConn struct {
	net.Conn

	wire *wire
	in   *bufio.Reader
	line *heldConn // below TLS, where there is TLS
}

// heldConn keeps what is written while hold is set, and then sends it at once.
type heldConn struct {
	net.Conn

	hold bool
	held []byte
}

func (h *heldConn) Write(p []byte) (int, error) {
	h.held = append(h.held, p...)
	if h.hold {
		return len(p), nil
	}
	_, err := h.Conn.Write(h.held)
	h.held = nil
	return len(p), err
}

// answerTwice lets two answers arrive together, under TLS in a record each.
func (c *wireConn) answerTwice(first, second string) {
	if c.line == nil || second == "" {
		c.answer(first + second)
		return
	}
	c.line.hold = true
	c.answer(first)
	c.line.hold = false
	c.answer(second)
}

func (c *wireConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.wire.bytes += n
	return n, err
}

// request reads one request whole; false when the client has gone.
func (c *wireConn) request() bool {
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return false
	}
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	c.wire.requests++
	return true
}

// answer reports whether the client is still there.
func (c *wireConn) answer(text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// serveOK answers every request.
func serveOK(c *wireConn, _ int) {
	for c.request() {
		c.answer(ok)
	}
}

func newSender(t *testing.T, cfg HTTPConfig) *HTTPSender {
	t.Helper()
	s, err := NewHTTPSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func order(id string) streamutil.Order {
	return streamutil.Order{ID: id, Body: []byte(`{"order_id":"` + id + `"}`), Attempt: 1}
}
