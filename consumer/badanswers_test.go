package consumer

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// shortTimeout bounds the calls that end by it alone; the others have much time.
const (
	shortTimeout = 1500 * ms
	longTimeout  = 20 * time.Second
)

// badAnswer is one way for a partner to answer badly: what it does on the first
// connection, and what that means. It returns true to go on well.
type badAnswer struct {
	name   string
	serve  func(c *wireConn) bool
	size   int // of the order, 0 is small
	want   streamutil.Outcome
	status int
	answer string // its start
	err    string
	waits  bool // until the timeout
}

// says reads the call, answers so and closes.
func says(parts ...string) func(c *wireConn) bool {
	return func(c *wireConn) bool {
		if c.request() {
			c.answer(strings.Join(parts, ""))
		}
		return false
	}
}

// goesOn is says, and then the connection serves further calls.
func goesOn(parts ...string) func(c *wireConn) bool {
	return func(c *wireConn) bool { return c.request() && c.answer(strings.Join(parts, "")) }
}

// hangs is says, and then nothing until the client goes.
func hangs(parts ...string) func(c *wireConn) bool {
	return func(c *wireConn) bool {
		if c.request() {
			c.answer(strings.Join(parts, ""))
			_, _ = c.in.Peek(1)
		}
		return false
	}
}

// floods is says, and then one text without end.
func floods(head, text string) func(c *wireConn) bool {
	return func(c *wireConn) bool {
		if c.request() && c.answer(head) {
			for c.answer(text) {
			}
		}
		return false
	}
}

// drips is floods, one text every 10 ms.
func drips(head, text string) func(c *wireConn) bool {
	return func(c *wireConn) bool {
		if c.request() && c.answer(head) {
			tick := time.NewTicker(10 * ms)
			defer tick.Stop()
			for c.answer(text) {
				<-tick.C
			}
		}
		return false
	}
}

// early answers when it has read the start of a call, and reads no more.
func early(text string, reset bool) func(c *wireConn) bool {
	return func(c *wireConn) bool {
		c.peek()
		c.answer(text)
		if reset {
			return c.reset()
		}
		<-c.wire.over
		return false
	}
}

// peek awaits the start of a call, and leaves little room for the rest.
func (c *wireConn) peek() {
	_ = c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	_, _ = c.in.Peek(1000)
}

const head200 = "HTTP/1.1 200 OK\r\n"

func badAnswers() []badAnswer {
	const large = 6 << 20 // more than sockets hold
	delivered, uncertain, rejected := streamutil.OutcomeDelivered, streamutil.OutcomeUncertain, streamutil.OutcomeRejected
	return []badAnswer{
		// No whole header: the partner may have the order or not.
		{name: "closed in the call", size: 2000, want: uncertain, serve: func(c *wireConn) bool {
			c.peek()
			return false
		}},
		{name: "closed after the call", serve: says(), want: uncertain, err: "the partner closed the connection"},
		{name: "cut in the status line", serve: says("HTTP/1.1 200 O"), want: uncertain, err: "the answer broke off"},
		{name: "cut after the status line", serve: says(head200), want: uncertain, err: "the answer broke off"},
		{name: "cut in the header", serve: says(head200, "Content-Length: 2\r\n"), want: uncertain, err: "the answer broke off"},
		{name: "cut after a hint", serve: says("HTTP/1.1 103 Early Hints\r\n\r\n"), want: uncertain, err: "the answer broke off"},
		{name: "silent after the status line", serve: hangs(head200), waits: true, want: uncertain, err: "the partner did not answer in time"},
		{name: "silent after 100", serve: hangs("HTTP/1.1 100 Continue\r\n\r\n"), waits: true, want: uncertain, err: "the partner did not answer in time"},
		{name: "the header drips", serve: drips(head200, "X-More: 1\r\n"), waits: true, want: uncertain, err: "the partner did not answer in time"},
		{name: "the header floods", serve: floods(head200, "X-More: 1\r\n"), want: uncertain, err: "the answer's header is longer than 64 KiB"},
		{name: "one header field floods", serve: floods(head200+"X: ", "more"), want: uncertain, err: "the answer's header is longer than 64 KiB"},
		{name: "hints flood", serve: floods("", "HTTP/1.1 103 Early Hints\r\n\r\n"), want: uncertain, err: "the answer's header is longer than 64 KiB"},
		{name: "reset in the call", size: large, want: uncertain, serve: func(c *wireConn) bool {
			c.peek()
			return c.reset()
		}},
		{name: "reset after the call", want: uncertain, err: "connection reset by peer", serve: func(c *wireConn) bool {
			return c.request() && c.reset()
		}},
		{name: "reads nothing", size: large, waits: true, want: uncertain, err: "the partner did not answer in time", serve: func(c *wireConn) bool {
			c.peek()
			<-c.wire.over
			return false
		}},

		// No HTTP. Nothing of it is shown: an echo would show the call.
		{name: "another protocol", serve: says("SSH-2.0-OpenSSH_9.9\r\n"), want: uncertain, err: "the answer is not HTTP"},
		{name: "bytes", serve: says("\x00\x00\x12\x04\x00\x00\x00\x00\x00\n\n"), want: uncertain, err: "the answer is not HTTP"},
		{name: "an echo", serve: func(c *wireConn) bool { _, _ = io.Copy(c, c.in); return false }, want: uncertain, err: "the answer is not HTTP"},
		{name: "no status", serve: says("HTTP/1.1 yes OK\r\n\r\n"), want: uncertain, err: "the answer is not HTTP"},
		{name: "a broken field", serve: says(head200, "no colon\r\n\r\n"), want: uncertain, err: "the answer is not HTTP"},
		{name: "two lengths", serve: says(head200, "Content-Length: 1\r\nContent-Length: 2\r\n\r\nok"), want: uncertain, err: "the answer is not HTTP"},
		{name: "a negative length", serve: says(head200, "Content-Length: -1\r\n\r\n"), want: uncertain, err: "the answer is not HTTP"},

		// The header is whole: the status has decided, whatever follows.
		{name: "the body is cut", serve: says(head200, "Content-Length: 10\r\n\r\nok"), want: delivered, status: 200, answer: "ok"},
		{name: "the body is cut, refused", serve: says("HTTP/1.1 422 No\r\nContent-Length: 10\r\n\r\nbad"), want: rejected, status: 422, answer: "bad"},
		{name: "the body is cut, failed", serve: says("HTTP/1.1 500 No\r\nContent-Length: 10\r\n\r\n"), want: streamutil.OutcomeFailed, status: 500},
		{name: "the body is reset", want: delivered, status: 200, serve: func(c *wireConn) bool {
			return c.request() && c.answer(head200+"Content-Length: 10\r\n\r\nok") && c.reset()
		}},
		{name: "the body never comes", serve: hangs(head200, "Content-Length: 10\r\n\r\n"), waits: true, want: delivered, status: 200},
		{name: "the body drips", serve: drips(head200+"Content-Length: 9999\r\n\r\n", "."), waits: true, want: delivered, status: 200, answer: "."},
		{name: "chunks flood", serve: floods(head200+"Transfer-Encoding: chunked\r\n\r\n", "4\r\nmore\r\n"), want: delivered, status: 200, answer: "moremore"},
		{name: "chunks of framing", serve: floods(head200+"Transfer-Encoding: chunked\r\n\r\n", "1;x="+strings.Repeat("y", 100)+"\r\nz\r\n"), want: delivered, status: 200, answer: "zz"},
		{name: "a broken chunk", serve: says(head200, "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n"), want: delivered, status: 200, answer: "ok"},
		{name: "the trailer floods", serve: floods(head200+"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "X: 1\r\n"), want: delivered, status: 200, answer: "ok"},
		{name: "no length, then closed", serve: says("HTTP/1.0 200 OK\r\n\r\nok"), want: delivered, status: 200, answer: "ok"},
		{name: "answered early", serve: early(ok, false), size: large, want: delivered, status: 200, answer: "ok"},
		{name: "answered early and reset", serve: early("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", true), size: large, want: rejected, status: 413, answer: "no"},

		// Unusual, and well.
		{name: "100 first", serve: goesOn("HTTP/1.1 100 Continue\r\n\r\n", ok), want: delivered, status: 200, answer: "ok"},
		{name: "hints first", serve: goesOn("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n", ok), want: delivered, status: 200, answer: "ok"},
		{name: "201", serve: goesOn("HTTP/1.1 201 Created\r\nLocation: /1\r\nContent-Length: 0\r\n\r\n"), want: delivered, status: 201},
		{name: "202", serve: goesOn("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), want: delivered, status: 202, answer: "ok"},
		{name: "204", serve: goesOn("HTTP/1.1 204 No Content\r\n\r\n"), want: delivered, status: 204},
		{name: "another protocol offered", serve: hangs("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), want: rejected, status: 101},
		{name: "moved", serve: goesOn("HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"), want: rejected, status: 307},
	}
}

// TestBadAnswers: whatever a partner does, a call ends in time, is made once,
// has the outcome that the whole header gives it or is uncertain, and the next
// call gets an answer of its own.
func TestBadAnswers(t *testing.T) {
	for _, tc := range badAnswers() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, func(c *wireConn, n int) {
				if n > 1 || tc.serve(c) {
					for c.request() {
						c.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext")
					}
				}
			})
			timeout := longTimeout
			if tc.waits {
				timeout = shortTimeout
			}
			s := newSender(t, HTTPConfig{
				URL: w.url() + "/?key=s3cret", Timeout: timeout, Token: func() string { return "s3cret" },
			})
			s.prepare(t.Context(), 1)
			began := time.Now()
			r := s.Send(t.Context(), streamutil.Order{ID: "A", Body: []byte(strings.Repeat("x", tc.size)), Attempt: 1})
			if took := time.Since(began); took >= longTimeout {
				t.Errorf("took %v", took)
			}
			tc.check(t, r)
			if conns, requests, _ := w.counts(); conns != 1 || requests > 1 {
				t.Errorf("%d connections and %d calls, want 1 and no more than 1", conns, requests)
			}
			s.cfg.Timeout = longTimeout
			if r := s.Send(t.Context(), order("B")); r.Answer != "next" {
				t.Errorf("the next call: %+v", r)
			}
		})
	}
}

func (tc badAnswer) check(t *testing.T, r Result) {
	t.Helper()
	if r.Outcome != tc.want || r.Status != tc.status || !strings.HasPrefix(r.Answer, tc.answer) {
		t.Errorf("%s, %d, %.20q; want %s, %d, %q", r.Outcome, r.Status, r.Answer, tc.want, tc.status, tc.answer)
	}
	if said := text(r.Err); !strings.HasSuffix(said, tc.err) || (said == "") != (tc.status != 0) || len(said) > 200 {
		t.Errorf("error %q, want one that ends in %q", said, tc.err)
	}
	if strings.Contains(fmt.Sprint(r), "s3cret") {
		t.Errorf("the result shows a secret: %+v", r)
	}
	if len(r.Answer) > keptAnswer {
		t.Errorf("%d bytes of the answer are kept", len(r.Answer))
	}
}

// TestUnaskedAnswer: what a partner says without being asked is not taken for
// the answer to the next call: that would count as delivered.
func TestUnaskedAnswer(t *testing.T) {
	const unasked = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"
	for _, tc := range []struct{ name, first, with, then string }{
		{"with the answer", ok, unasked, ""},
		{"with an answer without body", "HTTP/1.1 204 No Content\r\n\r\n", unasked, ""},
		{"half of it with the answer", ok, unasked[:30], unasked[30:]},
		{"after the answer", ok, "", unasked},
		{"a body longer than it says", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "!", ""},
		{"a newline too many", ok, "\r\n", ""},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", tc.name, secure), func(t *testing.T) {
				t.Parallel()
				answered, said := make(chan struct{}), make(chan struct{})
				serve := func(c *wireConn, n int) {
					if n > 1 {
						for c.request() {
							c.answer("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
						}
						return
					}
					c.request()
					c.answerTwice(tc.first, tc.with)
					<-answered
					c.answer(tc.then)
					close(said)
					_, _ = c.in.Peek(1)
				}
				w, cfg := newWireOf(t, secure, serve)
				s := newSender(t, cfg)
				if r := s.Send(t.Context(), order("A")); r.Outcome != streamutil.OutcomeDelivered {
					t.Errorf("%+v", r)
				}
				close(answered)
				<-said
				if r := s.Send(t.Context(), order("B")); r.Outcome != streamutil.OutcomeUnavailable || r.Status != 503 {
					t.Errorf("the next call: %+v; want its own answer", r)
				}
				if conns, _, _ := w.counts(); conns != 2 {
					t.Errorf("%d connections, want 2", conns)
				}
			})
		}
	}
}

// TestResetBeforeTheCall: a connection that died while it was ready is replaced
// before anything is sent.
func TestResetBeforeTheCall(t *testing.T) {
	gone := make(chan struct{})
	w := newWire(t, func(c *wireConn, n int) {
		if n == 1 {
			c.reset()
			close(gone)
			return
		}
		serveOK(c, n)
	})
	s := newSender(t, HTTPConfig{URL: w.url()})
	s.prepare(t.Context(), 1)
	<-gone
	if r := s.Send(t.Context(), order("A")); r.Outcome != streamutil.OutcomeDelivered {
		t.Errorf("%+v", r)
	}
	if conns, requests, _ := w.counts(); conns != 2 || requests != 1 {
		t.Errorf("%d connections, %d calls; want 2, 1", conns, requests)
	}
}

// reset has the connection end with an RST, unread data or not.
func (c *wireConn) reset() bool {
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
	return false
}
