package consumer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// quiet is for servers whose complaints a test provokes.
var quiet = log.New(io.Discard, "", 0)

// TestConnectionIsUsedAgain: calls one after the other need one connection.
func TestConnectionIsUsedAgain(t *testing.T) {
	w := newWire(t, serveOK)
	s := newSender(t, HTTPConfig{URL: w.url()})
	for range 5 {
		s.prepare(t.Context(), 1)
		if r := s.Send(t.Context(), order("A")); r.Outcome != streamutil.OutcomeDelivered {
			t.Fatalf("%+v", r)
		}
	}
	if conns, requests, _ := w.counts(); conns != 1 || requests != 5 {
		t.Errorf("%d calls over %d connections, want 5 over 1", requests, conns)
	}
}

// TestSentOnce: a kept connection that dies with a call on it does not make the
// transport send the call again, though it carries an Idempotency-Key.
func TestSentOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		body []byte
	}{{"a body", []byte("{}")}, {"no body", nil}} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWire(t, func(c *wireConn, n int) {
				if c.request() {
					c.answer(ok)
				}
				if n > 1 {
					c.request()
					c.answer(ok)
				}
				c.request() // and dies
			})
			s := newSender(t, HTTPConfig{URL: w.url()})
			o := streamutil.Order{ID: "A", Body: tc.body, Attempt: 1}
			if r := s.Send(t.Context(), o); r.Outcome != streamutil.OutcomeDelivered {
				t.Fatalf("first call: %+v", r)
			}
			if r := s.Send(t.Context(), o); r.Outcome != streamutil.OutcomeUncertain {
				t.Errorf("second call: %+v, want uncertain", r)
			}
			if _, requests, _ := w.counts(); requests != 2 {
				t.Errorf("%d calls on the wire, want 2", requests)
			}
		})
	}
}

// TestPrepared: a call after prepare finds its connection established.
func TestPrepared(t *testing.T) {
	w := newWire(t, serveOK)
	s := newSender(t, HTTPConfig{URL: w.url()})
	s.prepare(t.Context(), 1)
	s.prepare(t.Context(), 1)
	w.awaitConns(t, 1)
	w.listener.Close() // no call can connect by itself now
	if r := s.Send(t.Context(), order("A")); r.Outcome != streamutil.OutcomeDelivered {
		t.Errorf("%+v, want delivered over the spare connection", r)
	}
	if conns, _, _ := w.counts(); conns != 1 {
		t.Errorf("%d connections, want 1", conns)
	}
}

// TestPreparedWhileBusy: with a call under way another connection is made ready.
func TestPreparedWhileBusy(t *testing.T) {
	release := make(chan struct{})
	w := newWire(t, func(c *wireConn, n int) {
		for c.request() {
			if n == 1 {
				<-release
			}
			c.answer(ok)
		}
	})
	s := newSender(t, HTTPConfig{URL: w.url()})
	s.prepare(t.Context(), 1)
	first := make(chan Result)
	go func() { first <- s.Send(t.Context(), order("A")) }()
	redistest.Eventually(t, "the first call is under way", func() bool {
		_, requests, _ := w.counts()
		return requests == 1
	})
	s.prepare(t.Context(), 1)
	w.awaitConns(t, 2)
	w.listener.Close()
	if r := s.Send(t.Context(), order("B")); r.Outcome != streamutil.OutcomeDelivered {
		t.Errorf("second call: %+v", r)
	}
	close(release)
	if r := <-first; r.Outcome != streamutil.OutcomeDelivered {
		t.Errorf("first call: %+v", r)
	}
}

// awaitConns waits until the partner has accepted so many connections, and
// fails if there are more.
func (w *wire) awaitConns(t *testing.T, n int) {
	t.Helper()
	redistest.Eventually(t, "the partner has accepted the connections", func() bool {
		conns, _, _ := w.counts()
		return conns >= n
	})
	if conns, _, _ := w.counts(); conns != n {
		t.Fatalf("%d connections, want %d", conns, n)
	}
}

// TestPreparedMany: many calls at once find their connections established.
func TestPreparedMany(t *testing.T) {
	const n = 10
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %t", secure), func(t *testing.T) {
			w, cfg := newWireOf(t, secure, serveOK)
			s := newSender(t, cfg)
			s.prepare(t.Context(), 3)
			s.prepare(t.Context(), n) // those that are there count
			w.awaitConns(t, n)
			w.listener.Close()
			results := make(chan Result, n)
			for range n {
				go func() { results <- s.Send(t.Context(), order("A")) }()
			}
			for range n {
				if r := <-results; r.Outcome != streamutil.OutcomeDelivered {
					t.Errorf("%+v", r)
				}
			}
			if conns, requests, _ := w.counts(); conns != n || requests != n {
				t.Errorf("%d connections, %d calls; want %d each", conns, requests, n)
			}
		})
	}
}

// TestPreparedAreFew: however many calls are to come.
func TestPreparedAreFew(t *testing.T) {
	w := newWire(t, serveOK)
	s := newSender(t, HTTPConfig{URL: w.url()})
	s.prepare(t.Context(), 1000)
	s.prepare(t.Context(), 1000)
	w.awaitConns(t, maxReady)
}

// TestPrepareEnds: at the first connection that cannot be made.
func TestPrepareEnds(t *testing.T) {
	w := newWire(t, serveOK)
	w.listener.Close()
	s := newSender(t, HTTPConfig{URL: w.url()})
	s.prepare(t.Context(), maxReady)
	if n := s.conns.weed(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestUnusedConnectionsEnd: those that no call uses for long are closed, and so
// are all when the sender is.
func TestUnusedConnectionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conns := &connections{}
		var far []net.Conn
		for range 2 {
			near, other := net.Pipe()
			far = append(far, other)
			conns.put(newConnection(near, near))
			pass(t, bubbleClock(), idleFor/2)
		}
		if _, err := far[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) || conns.weed() != 1 {
			t.Errorf("after %v: %v, %d connections; want one closed, one left", idleFor, err, len(conns.ready))
		}
		conns.close()
		if _, err := far[1].Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: %v", err)
		}
		near, other := net.Pipe()
		conns.put(newConnection(near, near))
		if _, err := other.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("given back after the end: %v", err)
		}
	})
}

// TestSpareClosedByPartner: a spare connection that the partner closed while
// nothing was to be sent is noticed before a call goes out on it.
func TestSpareClosedByPartner(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			var dials atomic.Int64
			api := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			api.Config.ErrorLog = quiet
			api.Config.ReadHeaderTimeout = 300 * ms // then it closes, under TLS with an alert
			api.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					dials.Add(1)
				}
			}
			cfg := HTTPConfig{}
			if secure {
				api.StartTLS()
				roots := api.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
				cfg.TLS = &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
			} else {
				api.Start()
			}
			defer api.Close()
			cfg.URL = api.URL
			s := newSender(t, cfg)
			s.prepare(t.Context(), 1)
			spare := s.conns.ready[0]
			redistest.Eventually(t, "the partner's closing is noticed", func() bool { return !spare.alive() })
			s.prepare(t.Context(), 1)
			redistest.Eventually(t, "a new connection is there in place of the dead", func() bool { return dials.Load() == 2 })
			if r := s.Send(t.Context(), order("A")); r.Outcome != streamutil.OutcomeDelivered {
				t.Errorf("%+v", r)
			}
			if got := dials.Load(); got != 2 {
				t.Errorf("%d connections, want 2: the call goes out on the new one", got)
			}
		})
	}
}

// TestRefusedByGate: a call that is too late sends not one byte.
func TestRefusedByGate(t *testing.T) {
	w := newWire(t, serveOK)
	s := newSender(t, HTTPConfig{URL: w.url()})
	s.prepare(t.Context(), 1)
	hand := &handClock{at: time.Second}
	f := newFence(t.Context(), hand.clock(), time.Minute, 0)
	defer f.stop()
	g := newGate(hand.clock(), f, 0, 0)
	r := s.Send(withGate(t.Context(), g), order("A"))
	if r.Outcome != streamutil.OutcomeUnavailable || !g.wasRefused() {
		t.Errorf("%+v, refused %t; want unavailable, refused", r, g.wasRefused())
	}
	if r := s.Send(t.Context(), order("B")); r.Outcome != streamutil.OutcomeDelivered {
		t.Errorf("the next call: %+v", r)
	}
	if conns, requests, _ := w.counts(); conns != 1 || requests != 1 {
		t.Errorf("%d connections, %d calls; want 1, and 1 that was not refused", conns, requests)
	}
}

// slowConn lets time pass while it writes.
type slowConn struct {
	net.Conn

	hand *handClock
}

func (c slowConn) Write(p []byte) (int, error) {
	c.hand.at += time.Second
	return len(p), nil
}

// TestStartIsMeasuredAfterTheFirstByte: so the next one is never too early.
func TestStartIsMeasuredAfterTheFirstByte(t *testing.T) {
	hand := &handClock{at: time.Second}
	f := newFence(t.Context(), hand.clock(), time.Minute, 0)
	defer f.stop()
	g := newGate(hand.clock(), f, 0, time.Second)
	near, far := net.Pipe()
	defer far.Close()
	conn := newConnection(slowConn{near, hand}, near)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://partner", strings.NewReader(strings.Repeat("x", 3*firstWrite)))
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(far, ok) }()
	if a, sent, err := conn.exchange(withGate(t.Context(), g), req); a.status != http.StatusOK || !sent || err != nil {
		t.Fatalf("%+v, sent %t, %v", a, sent, err)
	}
	if at, begun := g.passed(); !begun || at != 2*time.Second {
		t.Errorf("started %t at %v; want at 2s, after the first write", begun, at)
	}
}
