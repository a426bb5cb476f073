package consumer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"orderq/internal/testhook"
	"orderq/streamutil"
)

const (
	// maxAnswer is how much of an answer is read, so that its connection can be
	// used again; of longer ones the connection is closed.
	maxAnswer = 64 << 10
	// keptAnswer is how much of it is kept for people.
	keptAnswer = 2 << 10
)

// HTTPConfig says how the partner is called. The zero value of a field stands
// for its default.
type HTTPConfig struct {
	// URL is called for every order; http or https. Required.
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
	// Secret signs every call in the form of the Standard Webhooks
	// specification: whsec_ and the key in base64; without that prefix it is the
	// key itself. Empty means no signature.
	Secret []byte
	// UserAgent defaults to "orderq".
	UserAgent string
	// TLS is the client's side of TLS. Nil means the system's roots.
	TLS *tls.Config
}

// HTTPSender calls a partner over HTTP/1.1. It never repeats a call by itself
// and follows no redirects. A call starts when its first byte goes to a
// connection that is established already.
type HTTPSender struct {
	cfg    HTTPConfig
	client *http.Client
	conns  *connections
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
	if cfg.Secret, err = signingKey(cfg.Secret); err != nil {
		return nil, err
	}
	conns := newConnections(u, cfg.TLS)
	return &HTTPSender{cfg: cfg, conns: conns, client: &http.Client{
		Transport:     conns.transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Send implements [Sender].
func (h *HTTPSender) Send(ctx context.Context, o streamutil.Order) Result {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	var used *connection
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			used, _ = info.Conn.(*connection)
			used.begin(gateOf(ctx))
		},
		PutIdleConn: func(err error) {
			if err == nil {
				used.rest()
			}
		},
	})
	req, err := h.request(ctx, o)
	if err != nil {
		return Result{Outcome: streamutil.OutcomeFailed, Err: err}
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return h.unanswered(used, err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status has decided already
	return Result{
		Outcome: Classify(resp.StatusCode, resp.Header.Get("Retry-After") != "", h.cfg.Accept),
		Status:  resp.StatusCode, Answer: start(text),
	}
}

// request builds a call: the order's body byte for byte.
func (h *HTTPSender) request(ctx context.Context, o streamutil.Order) (*http.Request, error) {
	// A body that net/http cannot rewind, even if it is empty: else the transport
	// repeats the call by itself when a kept-alive connection turns out dead, for
	// it carries an Idempotency-Key.
	body := io.NopCloser(bytes.NewReader(o.Body))
	req, err := http.NewRequestWithContext(ctx, h.cfg.Method, h.cfg.URL, body)
	if err != nil {
		return nil, fmt.Errorf("build call: %w", err)
	}
	req.ContentLength = int64(len(o.Body))
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
	if len(h.cfg.Secret) > 0 {
		sign(req.Header, h.cfg.Secret, o.ID, time.Now(), o.Body)
	}
	if testhook.Stamp.Load() {
		req.Header.Set(testhook.StampHeader, strconv.FormatInt(int64(systemClock().now()), 10))
	}
	return req, nil
}

// unanswered tells a call that never left from one whose fate is unknown.
func (h *HTTPSender) unanswered(used *connection, err error) Result {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // without the URL: it may hold secrets
	}
	if used.sent() {
		return Result{Outcome: streamutil.OutcomeUncertain, Err: fmt.Errorf("sent, no answer: %w", err)}
	}
	return Result{Outcome: streamutil.OutcomeUnavailable, Err: fmt.Errorf("not sent: %w", err)}
}

// Close closes the connections that no call uses.
func (h *HTTPSender) Close() {
	h.conns.close()
	h.client.CloseIdleConnections()
}

func (h *HTTPSender) prepare(ctx context.Context) { h.conns.prepare(ctx) }
func (h *HTTPSender) marksStart()                 {}

// start cuts an answer to what is kept, at a whole character.
func start(text []byte) string {
	if len(text) > keptAnswer {
		end := keptAnswer
		for end > keptAnswer-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}
