package consumer

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

// TestCallByteForByte compares a whole call with what goes over the line.
func TestCallByteForByte(t *testing.T) {
	got := make(chan string, 1)
	w := newWire(t, func(c *wireConn, _ int) {
		var raw bytes.Buffer
		c.in.Reset(io.TeeReader(c, &raw))
		if c.request() {
			got <- raw.String()
			c.answer(ok)
		}
	})
	s := newSender(t, HTTPConfig{
		URL: w.url() + "/orders?shop=1", UserAgent: "orderq/1.2.3",
		Token:   func() string { return "tok" },
		Headers: map[string]string{"X-Shop": "tea", "Idempotency-Key": "mine", "Content-Type": "text/plain"},
	})
	body := "{ \"order_id\":\"A-1\",\t\"name\":\"茶\", \"n\":1.10 }\n"
	r := s.Send(t.Context(), streamutil.Order{
		ID: "A-1", Body: []byte(body), Attempt: 3,
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	})
	if diff := cmp.Diff(Result{Outcome: streamutil.OutcomeDelivered, Status: 200, Answer: "ok"}, r); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	want := strings.Join([]string{
		"POST /orders?shop=1 HTTP/1.1",
		"Host: " + w.listener.Addr().String(),
		"User-Agent: orderq/1.2.3",
		"Content-Length: 45",
		"Authorization: Bearer tok",
		"Content-Type: application/json",
		"Idempotency-Key: A-1",
		"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"X-Attempt: 3",
		"X-Order-Id: A-1",
		"X-Shop: tea",
		"", body,
	}, "\r\n")
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
}

// TestOptionalHeaders: what is not configured is not sent.
func TestOptionalHeaders(t *testing.T) {
	var seen atomic.Pointer[http.Request]
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen.Store(r) }))
	defer api.Close()

	newSender(t, HTTPConfig{URL: api.URL, Token: func() string { return "" }}).Send(t.Context(), order("A"))
	for _, name := range []string{"Authorization", "Traceparent", "Webhook-Id", "Webhook-Signature"} {
		if got, sent := seen.Load().Header[name]; sent {
			t.Errorf("%s: %q was sent", name, got)
		}
	}
	if got := seen.Load().UserAgent(); got != "orderq" {
		t.Errorf("User-Agent %q, want orderq", got)
	}
	newSender(t, HTTPConfig{URL: strings.Replace(api.URL, "//", "//shop:pass@", 1)}).Send(t.Context(), order("A"))
	if user, password, _ := seen.Load().BasicAuth(); user != "shop" || password != "pass" {
		t.Errorf("user %q, password %q; want those of the URL", user, password)
	}
	newSender(t, HTTPConfig{URL: api.URL, Method: http.MethodPut, SigningKey: func() []byte { return []byte("s") }}).Send(t.Context(), order("A"))
	if r := seen.Load(); r.Method != http.MethodPut || r.Header.Get("Webhook-Id") != "A" || !strings.HasPrefix(r.Header.Get("Webhook-Signature"), "v1,") {
		t.Errorf("%s with headers %v: want PUT, signed", r.Method, r.Header)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		w := newWire(t, serveOK)
		api := httptest.NewServer(http.RedirectHandler(w.url(), status))
		r := newSender(t, HTTPConfig{URL: api.URL}).Send(t.Context(), order("A"))
		api.Close()
		if _, requests, _ := w.counts(); r.Outcome != streamutil.OutcomeRejected || r.Status != status || requests != 0 {
			t.Errorf("%d: %s with status %d, %d calls to the target; want rejected, none", status, r.Outcome, r.Status, requests)
		}
	}
}

// TestAnswerIsBounded: an answer without end is cut, and the next call goes out
// on a connection of its own.
func TestAnswerIsBounded(t *testing.T) {
	w := newWire(t, func(c *wireConn, n int) {
		for c.request() {
			if n > 1 {
				c.answer(ok)
				continue
			}
			c.answer("HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := io.WriteString(c, strings.Repeat("茶", 1000)); err != nil {
					return
				}
			}
		}
	})
	s := newSender(t, HTTPConfig{URL: w.url(), Timeout: 5 * time.Second})
	r := s.Send(t.Context(), order("A"))
	if r.Outcome != streamutil.OutcomeDelivered || r.Answer != strings.Repeat("茶", keptAnswer/3) {
		t.Errorf("%s, %d bytes kept; want delivered, %d", r.Outcome, len(r.Answer), keptAnswer/3*3)
	}
	if r := s.Send(t.Context(), order("B")); r.Answer != "ok" {
		t.Errorf("the next call: %+v", r)
	}
}

func TestAnswerKept(t *testing.T) {
	long := strings.Repeat("x", keptAnswer)
	for _, tc := range []struct{ name, answer, want string }{
		{"short", "ok", "ok"},
		{"just fits", long, long},
		{"too long", long + "y", long},
		{"no character is cut", long[1:] + "é", long[1:]},
		{"broken text", "a\xff", "a\uFFFD"},
		{"long and broken", strings.Repeat("\x80", keptAnswer+1), strings.Repeat("\uFFFD", 1)},
	} {
		if got := start([]byte(tc.answer)); got != tc.want {
			t.Errorf("%s: %d bytes ending in %q, want %d ending in %q", tc.name,
				len(got), got[max(len(got)-4, 0):], len(tc.want), tc.want[max(len(tc.want)-4, 0):])
		}
	}
}

// TestNotReached: what never left is unavailable.
func TestNotReached(t *testing.T) {
	refused := newWire(t, serveOK)
	refused.listener.Close()
	for _, tc := range []struct{ name, url, err string }{
		{"refused", refused.url(), "connection refused"},
		{"no such name", "http://partner.invalid", "lookup partner.invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSender(t, HTTPConfig{URL: tc.url + "/?secret=1"})
			r := s.Send(t.Context(), order("A"))
			if said := text(r.Err); r.Outcome != streamutil.OutcomeUnavailable ||
				!strings.HasPrefix(said, "not sent: connect: ") || !strings.Contains(said, tc.err) {
				t.Errorf("%s, %q; want unavailable, %q", r.Outcome, said, tc.err)
			}
			if strings.Contains(text(r.Err), "secret") {
				t.Errorf("the error shows the URL: %q", text(r.Err))
			}
		})
	}
}

// TestRetryAfterOfAnswer: it is told where it counts.
func TestRetryAfterOfAnswer(t *testing.T) {
	const date, later = "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:07 GMT"
	for _, tc := range []struct {
		name   string
		status int
		header string
		want   streamutil.Outcome
		wait   time.Duration
	}{
		{"429", 429, "Retry-After: 5", streamutil.OutcomeThrottled, 5 * time.Second},
		{"429 with a date", 429, "Retry-After: " + later + "\r\n" + date, streamutil.OutcomeThrottled, 30 * time.Second},
		{"429 that does not say", 429, "X: 1", streamutil.OutcomeThrottled, 0},
		{"429 with garbage", 429, "Retry-After: soon", streamutil.OutcomeThrottled, 0},
		{"503", 503, "Retry-After: 5", streamutil.OutcomeThrottled, 5 * time.Second},
		{"503, at once", 503, "Retry-After: 0", streamutil.OutcomeThrottled, 0},
		{"503 that does not say", 503, "X: 1", streamutil.OutcomeUnavailable, 0},
		{"503 with an empty one", 503, "Retry-After:", streamutil.OutcomeUnavailable, 0},
		{"503 with garbage", 503, "Retry-After: -5", streamutil.OutcomeUnavailable, 0},
		{"502", 502, "Retry-After: 5", streamutil.OutcomeUnavailable, 0},
		{"200", 200, "Retry-After: 5", streamutil.OutcomeDelivered, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWire(t, func(c *wireConn, _ int) {
				c.request()
				c.answer(fmt.Sprintf("HTTP/1.1 %d So\r\n%s\r\nContent-Length: 0\r\n\r\n", tc.status, tc.header))
			})
			r := newSender(t, HTTPConfig{URL: w.url()}).Send(t.Context(), order("A"))
			if diff := cmp.Diff(Result{Outcome: tc.want, Status: tc.status, RetryAfter: tc.wait}, r); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTrace: the moments around a call's first byte can be measured.
func TestTrace(t *testing.T) {
	w := newWire(t, serveOK)
	var said []string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) {
			_, _, bytes := w.counts()
			said = append(said, fmt.Sprintf("before, %d bytes", bytes))
		},
		WroteHeaders: func() { said = append(said, "after") },
	})
	newSender(t, HTTPConfig{URL: w.url()}).Send(ctx, order("A"))
	if diff := cmp.Diff([]string{"before, 0 bytes", "after"}, said); diff != "" {
		t.Errorf("hooks (-want +got):\n%s", diff)
	}
}

func TestTLS(t *testing.T) {
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	defer api.Close()
	roots := api.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	s := newSender(t, HTTPConfig{URL: api.URL, TLS: &tls.Config{RootCAs: roots}})
	if r := s.Send(t.Context(), order("A")); r.Outcome != streamutil.OutcomeDelivered || r.Answer != "HTTP/1.1" {
		t.Errorf("%+v: want delivered by HTTP/1.1", r)
	}
}

func TestBadURL(t *testing.T) {
	for _, url := range []string{"", "partner.example/orders", "ftp://partner.example", "http://", "http://a b", "://x?secret=1"} {
		_, err := NewHTTPSender(HTTPConfig{URL: url})
		if want := "consumer: URL must be an absolute http or https URL"; text(err) != want {
			t.Errorf("%q: error %q, want %q", url, text(err), want)
		}
	}
}
