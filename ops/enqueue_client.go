package ops

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// requestTimeout is how long a request may take, its answer included.
	requestTimeout = 30 * time.Second
	// maxAnswer bounds how much of an answer is read, in bytes.
	maxAnswer = 16 << 20
)

// submitter sends orders to a producer over HTTP.
type submitter struct {
	base  string // without a slash at its end
	shown string // base as the user gave it
	token string // empty: none is sent
	http  *http.Client
}

// newSubmitter takes the producer's base address: http, https or unix:/path.
func newSubmitter(address, token string) (*submitter, error) {
	transport := &http.Transport{ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute}
	s := &submitter{shown: address, token: token, http: &http.Client{
		Transport: transport, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if path == "" {
			return nil, usagef("--url %s: want the path of a socket, as in unix:/run/orderq/http.sock", quoted(address))
		}
		var dialer net.Dialer
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		}
		s.base = "http://localhost"
		return s, nil
	}
	u, err := url.Parse(address)
	switch {
	case err == nil && u.User != nil: // not shown: it may hold a password
		return nil, usagef("--url: want no user and password in it; a token goes with --token-file")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, usagef("--url: want an address such as http://127.0.0.1:8080, https://shop.example/orders or unix:/run/orderq/http.sock")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, usagef("--url %s: want neither ? nor # in it", quoted(address))
	}
	s.base = strings.TrimRight(address, "/")
	return s, nil
}

// readToken reads the secret of a token from a file; without a file it is empty.
func readToken(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	for _, c := range token {
		if c <= ' ' || c > '~' {
			return "", fmt.Errorf("read the token: %s: want the secret alone, on one line", file)
		}
	}
	if token == "" {
		return "", fmt.Errorf("read the token: %s is empty", file)
	}
	return token, nil
}

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// post makes one request. An error that is no *setback means that a repetition
// would not help.
func (s *submitter) post(ctx context.Context, path, contentType string, body []byte) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make a request: %w", err)
	}
	req.GetBody = nil // whether it is sent again is decided here, not by net/http
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", "orderq-enqueue")
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return answer{}, s.unanswered(ctx, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, s.unanswered(ctx, err)
	case len(got) > maxAnswer:
		return answer{}, s.stranger("its answer is larger than any of a producer")
	}
	return answer{resp.StatusCode, resp.Header, got}, nil
}

// unanswered words why there is no answer. All of it may pass, but for a
// certificate that is not trusted.
func (s *submitter) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // without the address, which is said already
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%s is not to be trusted: %w", s.shown, err)
	}
	return &setback{what: fmt.Sprintf("%s does not answer: %v", s.shown, err)}
}

// stranger is the error of an answer that no producer gives.
func (s *submitter) stranger(what string) error {
	return fmt.Errorf("%s is no producer of orderq: %s; see --url", s.shown, what)
}
