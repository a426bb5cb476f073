package consumer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"orderq/internal/testhook"
	"orderq/streamutil"
)

// keptAnswer is how much of an answer is kept for people.
const keptAnswer = 2 << 10

// HTTPConfig says how the partner is called. The zero value of a field stands
// for its default.
type HTTPConfig struct {
	// URL is called for every order; http or https. A user in it is sent as HTTP
	// basic authentication. Required.
	URL string
	// Method defaults to POST.
	Method string
	// Timeout bounds a whole call, answer included. Default 10 s.
	Timeout time.Duration
	// Accept are further answers that mean the partner has the order, such as
	// 409. Successes always do.
	Accept Accepted
	// Token is asked for the bearer token of every call. Nil or an empty token
	// means none.
	Token func() string
	// Headers are set on every call, but cannot replace those orderq sets.
	Headers map[string]string
	// SigningKey is asked for the key that signs every call in the form of the
	// Standard Webhooks specification; [ParseSecret] reads one. Nil or an empty
	// key means no signature.
	SigningKey func() []byte
	// UserAgent defaults to "orderq".
	UserAgent string
	// TLS is the client's side of TLS. Nil means the system's roots.
	TLS *tls.Config
}

// HTTPSender calls a partner over HTTP/1.1. It never repeats a call by itself
// and follows no redirects. A call starts when its first byte goes to a
// connection that is established already: a trace in the context of Send
// (net/http/httptrace) has its GotConn called just before and its WroteHeaders
// just after.
type HTTPSender struct {
	cfg   HTTPConfig
	conns *connections
}

// NewHTTPSender checks the configuration; it does not call the partner yet.
func NewHTTPSender(cfg HTTPConfig) (*HTTPSender, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, errors.New("consumer: URL must be an absolute http or https URL") // it may hold secrets: not shown
	}
	if cfg.Method == "" {
		cfg.Method = http.MethodPost
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Accept == nil {
		cfg.Accept = Accepted{{200, 299}}
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "orderq"
	}
	return &HTTPSender{cfg: cfg, conns: newConnections(u, cfg.TLS)}, nil
}

// Send implements [Sender].
func (h *HTTPSender) Send(ctx context.Context, o streamutil.Order) Result {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	conn, err := h.conns.get(ctx)
	if err != nil {
		return notSent(err)
	}
	defer h.conns.put(conn)
	req, err := h.request(ctx, o)
	if err != nil {
		return Result{Outcome: streamutil.OutcomeFailed, Err: err}
	}
	a, sent, err := conn.exchange(ctx, req)
	switch {
	case err != nil && sent:
		return Result{Outcome: streamutil.OutcomeUncertain, Err: fmt.Errorf("sent, no answer: %w", err)}
	case err != nil:
		return notSent(err)
	}
	return h.answered(a)
}

// answered says what an answer means.
func (h *HTTPSender) answered(a answer) Result {
	wait, asked := retryAfter(a.header, time.Now())
	r := Result{Outcome: Classify(a.status, asked, h.cfg.Accept), Status: a.status, Answer: start(a.body)}
	if r.Outcome == streamutil.OutcomeThrottled {
		r.RetryAfter = wait
	}
	return r
}

func notSent(err error) Result {
	return Result{Outcome: streamutil.OutcomeUnavailable, Err: fmt.Errorf("not sent: %w", err)}
}

// request builds a call: the order's body byte for byte.
func (h *HTTPSender) request(ctx context.Context, o streamutil.Order) (*http.Request, error) {
	// Not ctx: to write a request calls the hooks of a trace in its context, and
	// it is written before it goes out.
	req, err := http.NewRequestWithContext(context.Background(), h.cfg.Method, h.cfg.URL, bytes.NewReader(o.Body))
	if err != nil {
		return nil, fmt.Errorf("build call: %w", err)
	}
	if u := req.URL.User; u != nil {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
	for name, value := range h.cfg.Headers {
		req.Header.Set(name, value)
	}
	if h.cfg.Token != nil {
		if token := h.cfg.Token(); token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", h.cfg.UserAgent)
	req.Header.Set("Idempotency-Key", o.ID)
	req.Header.Set("X-Order-Id", o.ID)
	req.Header.Set("X-Attempt", strconv.Itoa(o.Attempt))
	if o.TraceParent != "" {
		req.Header.Set("Traceparent", o.TraceParent)
	}
	if h.cfg.SigningKey != nil {
		if key := h.cfg.SigningKey(); len(key) > 0 {
			sign(req.Header, key, o.ID, time.Now(), o.Body)
		}
	}
	if testhook.Stamp.Load() {
		req.Header.Set(testhook.StampHeader, strconv.FormatInt(int64(gateOf(ctx).start()), 10))
	}
	return req, nil
}

// Close closes the connections that no call uses.
func (h *HTTPSender) Close() { h.conns.close() }

func (h *HTTPSender) prepare(ctx context.Context, n int) { h.conns.prepare(ctx, n) }
func (h *HTTPSender) marksStart()                        {}

// start cuts an answer to what is kept.
func start(text []byte) string { return cut(text, keptAnswer) }

// cut shortens a text to so many bytes, at a whole character.
func cut(text []byte, most int) string {
	if len(text) > most {
		end := most
		for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}
