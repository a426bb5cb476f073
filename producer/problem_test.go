package producer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// Clients rely on these documents, so a change of any must be meant.
func TestProblemDocuments(t *testing.T) {
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{MaxBacklog: 1}, producer.Config{MaxBody: 200})
	s.mustPost(`{"order_id":"A-1"}`)
	away := open(t, "127.0.0.1:1", streamutil.QueueConfig{}, producer.Config{})
	jsonType := []string{"Content-Type", "application/json"}
	post := func(body string, header ...string) reply {
		return s.send(http.MethodPost, "/v1/orders", strings.NewReader(body), append(header, "X-Request-Id", "test")...)
	}
	tests := []struct {
		name string
		got  reply
	}{
		{"malformed", post(`{"order_id":"A-1",}`, jsonType...)},
		{"invalid", post(`{"amount":-1}`, jsonType...)},
		{"conflict", post(`{"order_id":"A-1","x":1}`, jsonType...)},
		{"full", post(`{"order_id":"A-2"}`, jsonType...)},
		{"too large", post(strings.Repeat(" ", 201), jsonType...)},
		{"media type", post(`{}`)},
		{"not found", s.send(http.MethodGet, "/v1/orders/A-9", nil, "X-Request-Id", "test")},
		{"nothing there", s.send(http.MethodGet, "/x", nil, "X-Request-Id", "test")},
		{"method", s.send(http.MethodPut, "/v1/orders/A-1", nil, "X-Request-Id", "test")},
		{"Redis away", away.send(http.MethodGet, "/v1/orders/A-1", nil, "X-Request-Id", "test")},
		{"not ready", away.send(http.MethodGet, "/readyz", nil, "X-Request-Id", "test")},
	}
	var b strings.Builder
	for _, tt := range tests {
		fmt.Fprintf(&b, "== %s: %d\n", tt.name, tt.got.StatusCode)
		for _, name := range []string{"Content-Type", "Cache-Control", "Retry-After", "Allow", "X-Request-Id"} {
			if value := tt.got.Header.Get(name); value != "" {
				fmt.Fprintf(&b, "%s: %s\n", name, value)
			}
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, tt.got.body, "", "  "); err != nil {
			t.Errorf("%s: %v: %s", tt.name, err, tt.got.body)
		}
		b.WriteString(indented.String() + "\n")
	}
	golden(t, "problems.txt", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); -update writes it anew:\n%s", path, diff)
	}
}

func TestMediaTypes(t *testing.T) {
	s := usual(t)
	for i, tt := range []struct {
		name   string
		header []string
		want   int
	}{
		{"plain", []string{"Content-Type", "application/json"}, 202},
		{"capitals", []string{"Content-Type", "Application/JSON"}, 202},
		{"in UTF-8", []string{"Content-Type", `application/json; charset="UTF-8"`}, 202},
		{"not compressed", []string{"Content-Type", "application/json", "Content-Encoding", "identity"}, 202},
		{"none", nil, 415},
		{"in Big5", []string{"Content-Type", "application/json; charset=big5"}, 415},
		{"text", []string{"Content-Type", "text/plain"}, 415},
		{"a form", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"rubbish", []string{"Content-Type", "application/json; charset"}, 415},
		{"compressed", []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := strings.NewReader(fmt.Sprintf(`{"order_id":"%d"}`, i))
			if r := s.send(http.MethodPost, "/v1/orders", body, tt.header...); r.StatusCode != tt.want {
				t.Errorf("got %d, want %d: %s", r.StatusCode, tt.want, r.body)
			}
		})
	}
}

func TestBodyBound(t *testing.T) {
	s := usual(t)
	order := func(size int) string {
		head, tail := `{"order_id":"A-1","pad":"`, `"}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	// A reader of unknown length makes the client send chunks.
	chunked := func(body string) io.Reader { return io.MultiReader(strings.NewReader(body)) }
	for _, tt := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"the most", strings.NewReader(order(64 << 10)), 202},
		{"one more", strings.NewReader(order(64<<10 + 1)), 413},
		{"the most, in chunks", chunked(order(64 << 10)), 202},
		{"one more, in chunks", chunked(order(64<<10 + 1)), 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := s.send(http.MethodPost, "/v1/orders", tt.body, "Content-Type", "application/json")
			if r.StatusCode != tt.want {
				t.Errorf("got %d, want %d: %s", r.StatusCode, tt.want, r.body)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	s := usual(t)
	for _, tt := range []struct{ method, path, allow string }{
		{"GET", "/v1/orders", "OPTIONS, POST"},
		{"DELETE", "/v1/orders", "OPTIONS, POST"},
		{"GET", "/v1/orders:batch", "OPTIONS, POST"},
		{"POST", "/v1/orders/A-1", "DELETE, GET, HEAD, OPTIONS"},
		{"DELETE", "/v1/queue", "GET, HEAD, OPTIONS"},
		{"POST", "/livez", "GET, HEAD, OPTIONS"},
		{"DELETE", "/readyz", "GET, HEAD, OPTIONS"},
		{"POST", "/openapi.yaml", "GET, HEAD, OPTIONS"},
	} {
		r := s.send(tt.method, tt.path, nil)
		if r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: got %d and Allow %q, want 405 and %q", tt.method, tt.path, r.StatusCode, r.Header.Get("Allow"), tt.allow)
		}
		r = s.send(http.MethodOptions, tt.path, nil)
		if r.StatusCode != http.StatusNoContent || r.Header.Get("Allow") != tt.allow || len(r.body) > 0 {
			t.Errorf("OPTIONS %s: got %d and Allow %q, want 204 and %q", tt.path, r.StatusCode, r.Header.Get("Allow"), tt.allow)
		}
	}
}

func TestRequestID(t *testing.T) {
	s := usual(t)
	for _, insane := range []string{"", "a b", "x\"y", strings.Repeat("a", 129)} {
		got := s.send(http.MethodGet, "/livez", nil, "X-Request-Id", insane).Header.Get("X-Request-Id")
		if got == insane || len(got) < 16 {
			t.Errorf("for %q: got %q, want a new one", insane, got)
		}
	}
}
