package consumer

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
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
		s.prepare(t.Context())
		if r := s.Send(t.Context(), order("A")); r.Outcome != streamutil.OutcomeDelivered {
			t.Fatalf("%+v", r)
		}
		awaitRest(t, s)
	}
	if conns, requests, _ := w.counts(); conns != 1 || requests != 5 {
		t.Errorf("%d calls over %d connections, want 5 over 1", requests, conns)
	}
}

// awaitRest waits until the transport has taken note that the last call is over.
func awaitRest(t *testing.T, s *HTTPSender) {
	t.Helper()
	redistest.Eventually(t, "the connection rests", func() bool {
		s.conns.mu.Lock()
		defer s.conns.mu.Unlock()
		return len(s.conns.idle) > 0
	})
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
			awaitRest(t, s)
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
	s.prepare(t.Context())
	s.prepare(t.Context())
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
	s.prepare(t.Context())
	first := make(chan Result)
	go func() { first <- s.Send(t.Context(), order("A")) }()
	redistest.Eventually(t, "the first call is under way", func() bool {
		_, requests, _ := w.counts()
		return requests == 1
	})
	s.prepare(t.Context())
	w.listener.Close()
	if r := s.Send(t.Context(), order("B")); r.Outcome != streamutil.OutcomeDelivered {
		t.Errorf("second call: %+v", r)
	}
	close(release)
	if r := <-first; r.Outcome != streamutil.OutcomeDelivered {
		t.Errorf("first call: %+v", r)
	}
}

// TestSpareClosedByPartner: a spare connection that the partner closed while
// nothing was to be sent is noticed before a call goes out on it.
func TestSpareClosedByPartner(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			var dials atomic.Int64
			api := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			api.Config.ErrorLog = quiet
			api.Config.ReadHeaderTimeout = 50 * ms // then it closes, under TLS with an alert
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
			s.prepare(t.Context())
			spare := s.conns.spare
			if !spare.alive() {
				t.Fatal("a fresh connection is held dead")
			}
			redistest.Eventually(t, "the partner's closing is noticed", func() bool { return !spare.alive() })
			s.prepare(t.Context())
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
	gone := make(chan struct{})
	w := newWire(t, func(c *wireConn, _ int) {
		c.request()
		close(gone)
	})
	s := newSender(t, HTTPConfig{URL: w.url()})
	s.prepare(t.Context())
	hand := &handClock{at: time.Second}
	f := newFence(t.Context(), hand.clock(), time.Minute, 0)
	defer f.stop()
	g := newGate(hand.clock(), f, 0)
	r := s.Send(withGate(t.Context(), g), order("A"))
	if r.Outcome != streamutil.OutcomeUnavailable || !g.wasRefused() {
		t.Errorf("%+v, refused %t; want unavailable, refused", r, g.wasRefused())
	}
	<-gone
	if conns, requests, bytes := w.counts(); conns != 1 || requests != 0 || bytes != 0 {
		t.Errorf("%d connections, %d calls, %d bytes; want 1, 0, 0", conns, requests, bytes)
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
	g := newGate(hand.clock(), f, time.Second)
	conns := &connections{idle: map[*connection]bool{}}
	c := &connection{Conn: slowConn{hand: hand}, of: conns}
	c.begin(g)
	if _, begun := g.passed(); begun || c.sent() {
		t.Fatal("started before the first byte")
	}
	for range 2 {
		if _, err := c.Write([]byte("POST")); err != nil {
			t.Fatal(err)
		}
	}
	if at, begun := g.passed(); !begun || at != 2*time.Second || !c.sent() {
		t.Errorf("started %t at %v, sent %t; want at 2s, after the first write", begun, at, c.sent())
	}
}
