package bench_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"orderq/internal/bench"
)

// server counts the bodies that it was sent.
func server(t *testing.T, answer http.HandlerFunc) (addr string, seen *sync.Map) {
	seen = &sync.Map{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen.Store(string(body), r.Header.Get("Content-Type"))
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), seen
}

func load(addr string) bench.Load {
	return bench.Load{
		Addr: addr, Path: "/x", ContentType: "text/x", Connections: 3, Orders: 2,
		Body: func(buf []byte, n int64) []byte { return bench.AppendLines(buf, "a", 2*n, 2) },
	}
}

func TestLoad(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a length": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, "ok")
		},
		"chunks": func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = io.WriteString(w, strings.Repeat("x", 3000))
				_ = http.NewResponseController(w).Flush()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr, seen := server(t, answer)
			got, err := load(addr).Run(t.Context(), 50*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			count := int64(0)
			seen.Range(func(_, contentType any) bool { count++; return contentType == "text/x" })
			if got.Requests != count || got.Orders != 2*count || count == 0 {
				t.Errorf("%d requests with %d orders; the server saw %d different ones", got.Requests, got.Orders, count)
			}
			if got.P50 <= 0 || got.P99 < got.P50 || got.PerSecond() <= 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// What is refused is no result, however quick it is.
func TestLoadOfAServerThatRefuses(t *testing.T) {
	addr, _ := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	if got, err := load(addr).Run(t.Context(), time.Second); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := load("127.0.0.1:1").Run(t.Context(), time.Second); err == nil {
		t.Errorf("nobody listens: got %+v", got)
	}
}
