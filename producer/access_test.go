package producer_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

const tokenLines = `
# name scopes secret
shop    submit          shop-secret
desk    read,cancel     desk-secret
viewer  read            viewer-secret
`

func tokens(t testing.TB, text string) producer.Tokens {
	t.Helper()
	got, err := producer.ParseTokens(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// guarded is a shop with tokens that can be changed.
func guarded(t testing.TB) (*shop, *atomic.Pointer[producer.Tokens]) {
	t.Helper()
	var now atomic.Pointer[producer.Tokens]
	first := tokens(t, tokenLines)
	now.Store(&first)
	return open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{
		Tokens: func() producer.Tokens { return *now.Load() },
	}), &now
}

func TestScopes(t *testing.T) {
	s, _ := guarded(t)
	for _, tt := range []struct {
		method, path  string
		authorization string
		want          int
	}{
		{"POST", "/v1/orders", "Bearer shop-secret", 202},
		{"POST", "/v1/orders", "bearer  shop-secret", 202},
		{"POST", "/v1/orders", "Bearer viewer-secret", 403},
		{"POST", "/v1/orders", "", 401},
		{"POST", "/v1/orders", "Bearer", 401},
		{"POST", "/v1/orders", "Bearer shop-secre", 401},
		{"POST", "/v1/orders", "Bearer shop", 401},
		{"POST", "/v1/orders", "Basic shop-secret", 401},
		{"POST", "/v1/orders", "shop-secret", 401},
		{"POST", "/v1/orders:batch", "Bearer shop-secret", 200},
		{"POST", "/v1/orders:batch", "Bearer desk-secret", 403},
		{"GET", "/v1/orders/A-1", "Bearer viewer-secret", 200},
		{"HEAD", "/v1/orders/A-1", "Bearer viewer-secret", 200},
		{"GET", "/v1/orders/A-1", "Bearer shop-secret", 403},
		{"HEAD", "/v1/orders/A-1", "", 401},
		{"GET", "/v1/queue", "Bearer viewer-secret", 200},
		{"GET", "/v1/queue", "", 401},
		{"DELETE", "/v1/orders/A-1", "Bearer viewer-secret", 403},
		{"DELETE", "/v1/orders/A-1", "Bearer desk-secret", 200},
		{"GET", "/livez", "", 200},
		{"GET", "/readyz", "", 200},
		{"GET", "/openapi.yaml", "", 200},
		{"OPTIONS", "/v1/orders", "", 204},
	} {
		t.Run(tt.method+" "+tt.path+" "+tt.authorization, func(t *testing.T) {
			body := order
			if strings.HasSuffix(tt.path, "batch") {
				body = "[" + order + "]"
			}
			r := s.send(tt.method, tt.path, strings.NewReader(body), "Content-Type", array, "Authorization", tt.authorization)
			if r.StatusCode != tt.want {
				t.Errorf("got %d, want %d: %s", r.StatusCode, tt.want, r.body)
			}
			if challenged := r.Header.Get("WWW-Authenticate") != ""; challenged != (tt.want == 401) {
				t.Errorf("%d with WWW-Authenticate %q", r.StatusCode, r.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// A token can be replaced without a break, and one that is taken away is worth
// nothing at once.
func TestTokensAreReplaced(t *testing.T) {
	s, now := guarded(t)
	status := func(secret string) int {
		return s.post(order, "Authorization", "Bearer "+secret).StatusCode
	}
	for i, step := range []struct {
		lines     string
		old, next int
	}{
		{"shop submit old-secret", 202, 401},
		{"shop submit old-secret\nshop submit new-secret", 202, 202},
		{"shop submit new-secret", 401, 202},
		{"", 401, 401},
	} {
		set := tokens(t, step.lines)
		now.Store(&set)
		if old, next := status("old-secret"), status("new-secret"); old != step.old || next != step.next {
			t.Errorf("step %d: the old secret gets %d, the new one %d; want %d and %d", i, old, next, step.old, step.next)
		}
	}
}

func TestParseTokens(t *testing.T) {
	if got := tokens(t, tokenLines); got.Len() != 3 {
		t.Errorf("got %d tokens, want 3", got.Len())
	}
	_, err := producer.ParseTokens("a submit s3cret-1\nb s3cret-2 submit\nc submit\nd! read s3cret-3\ne read s3cret-1\nf submit,,read s3cret-4")
	if err == nil {
		t.Fatal("all of it was taken")
	}
	for _, want := range []string{"line 2: the second word", "line 3: want three words", "line 4: a name", "line 5: the secret of a line above", "line 6: the second word"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q", want)
		}
	}
	if strings.Contains(err.Error(), "line 1") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error says too much: %v", err)
	}
}

// The partner's words are for those who may cancel, and for nobody else.
func TestPartnersAnswerIsForFew(t *testing.T) {
	s, _ := guarded(t)
	s.post(order, "Authorization", "Bearer shop-secret")
	reject(t, s.queue, "the partner's words")
	for secret, want := range map[string]any{"desk-secret": "the partner's words", "viewer-secret": nil} {
		r := s.send(http.MethodGet, "/v1/orders/A-1", nil, "Authorization", "Bearer "+secret)
		answer, _ := r.object(t)["last_answer"].(map[string]any)
		if answer["text"] != want {
			t.Errorf("%s: got %v, want %v", secret, answer["text"], want)
		}
	}
}

const (
	ours   = "https://shop.example"
	theirs = "https://evil.example"
)

func TestOrigins(t *testing.T) {
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{AllowedOrigins: []string{ours}})
	for _, tt := range []struct {
		name   string
		header []string
		want   int
		cors   string
	}{
		{"no browser", nil, 202, ""},
		{"our page", []string{"Origin", ours, "Sec-Fetch-Site", "cross-site"}, 202, ours},
		{"another page", []string{"Origin", theirs, "Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"another page, an old browser", []string{"Origin", theirs}, 403, ""},
		{"another scheme", []string{"Origin", "http://shop.example"}, 403, ""},
		{"another port", []string{"Origin", ours + ":8443"}, 403, ""},
		{"a page below ours", []string{"Origin", "https://x.shop.example"}, 403, ""},
		{"a sandbox", []string{"Origin", "null"}, 403, ""},
		{"a page of this very server", []string{"Origin", s.url, "Sec-Fetch-Site", "same-origin"}, 202, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.post(order, tt.header...)
			if got := r.Header.Get("Access-Control-Allow-Origin"); r.StatusCode != tt.want || got != tt.cors {
				t.Errorf("got %d and %q, want %d and %q: %s", r.StatusCode, got, tt.want, tt.cors, r.body)
			}
			if tt.want == 403 && r.object(t)["type"] != "urn:orderq:problem:cross-origin" {
				t.Errorf("got %s", r.body)
			}
		})
	}
	exposed := s.post(order, "Origin", ours).Header.Get("Access-Control-Expose-Headers")
	for _, name := range []string{"Location", "Retry-After", "Idempotent-Replayed", "X-Request-Id"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("a page cannot read %s: %s", name, exposed)
		}
	}
}

// An origin that no browser sends would let nobody in, or half of what a page does.
func TestOnlyOriginsAsBrowsersSendThem(t *testing.T) {
	q := usual(t).queue
	for origin, good := range map[string]bool{
		"https://shop.example":      true,
		"http://[2001:db8::1]:8080": true,
		"http://shop.example:443":   true,
		"https://Shop.example":      false,
		"https://shop.example:443":  false,
		"https://shop.example/":     false,
		"https://*.shop.example":    false,
		"*":                         false,
		"ftp://shop.example":        false,
		"null":                      false,
		"":                          false,
	} {
		if _, err := producer.New(q, producer.Config{AllowedOrigins: []string{origin}}); (err == nil) != good {
			t.Errorf("%q: error %v, want none: %t", origin, err, good)
		}
	}
}

func TestPreflight(t *testing.T) {
	s, _ := guarded(t)
	if r := preflight(s, ours); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("without allowed origins, a page is let in")
	}
	s = open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{
		AllowedOrigins: []string{ours}, Tokens: func() producer.Tokens { return tokens(t, tokenLines) },
	})
	r := preflight(s, ours)
	if r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Origin") != ours ||
		r.Header.Get("Access-Control-Allow-Methods") != "POST" || r.Header.Get("Access-Control-Max-Age") != "7200" {
		t.Errorf("got %d %v", r.StatusCode, r.Header)
	}
	if r := preflight(s, theirs); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another page is let in")
	}
}

func preflight(s *shop, origin string) reply {
	s.t.Helper()
	return s.send(http.MethodOptions, "/v1/orders", nil, "Origin", origin, "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
}
