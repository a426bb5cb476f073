package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func zapEntry() zapcore.Entry { return zapcore.Entry{Level: zap.WarnLevel, Message: "hello"} }

// adminFor gives the admin listener's handler without a listener.
func adminFor(t *testing.T, ping func(context.Context) error) (*admin, *service, http.Handler) {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "orderq_test_total", Help: "A counter."}))
	s := &service{log: &logging{Logger: zap.NewNop(), level: zap.NewAtomicLevel()}, registry: reg}
	a := &admin{ping: ping}
	return a, s, a.routes(s)
}

func request(h http.Handler, method, path, client string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(`{"level":"debug"}`))
	r.RemoteAddr = client
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAdminShowsItsInsidesToThisMachineOnly(t *testing.T) {
	_, s, h := adminFor(t, func(context.Context) error { return nil })
	const local, local6, far = "127.0.0.1:1234", "[::1]:1234", "192.0.2.1:1234"
	for _, tt := range []struct {
		method, path, client string
		header               []string
		want                 int
	}{
		{"GET", "/metrics", far, nil, 200},
		{"GET", "/livez", far, nil, 200},
		{"GET", "/readyz", far, nil, 200},
		{"HEAD", "/livez", far, nil, 200},
		{"POST", "/livez", far, nil, 405},
		{"GET", "/", local, nil, 404},
		{"GET", "/debug/pprof/", local, nil, 200},
		{"GET", "/debug/pprof/cmdline", local6, nil, 200},
		{"GET", "/debug/pprof/goroutine", local, nil, 200},
		{"GET", "/debug/pprof/", far, nil, 404},
		{"GET", "/debug/pprof/heap", far, nil, 404},
		{"GET", "/debug/pprof/cmdline", far, nil, 404},
		{"GET", "/loglevel", far, nil, 404},
		{"PUT", "/loglevel", far, nil, 404},
		{"PUT", "/loglevel", local, []string{"Origin", "https://evil.example"}, 403},
		{"GET", "/loglevel", local, nil, 200},
	} {
		t.Run(tt.method+" "+tt.path+" from "+tt.client, func(t *testing.T) {
			if w := request(h, tt.method, tt.path, tt.client, tt.header...); w.Code != tt.want {
				t.Errorf("status = %d, want %d: %s", w.Code, tt.want, w.Body)
			}
		})
	}
	if s.log.level.Level() != zap.InfoLevel {
		t.Fatal("a request that was refused changed the level")
	}
	if w := request(h, "PUT", "/loglevel", local, "Content-Type", "application/json"); w.Code != 200 || s.log.level.Level() != zap.DebugLevel {
		t.Errorf("status = %d, level = %v, want debug", w.Code, s.log.level)
	}
	if w := request(h, "GET", "/metrics", far); !strings.Contains(w.Body.String(), "orderq_test_total 0") {
		t.Errorf("metrics = %s", w.Body)
	}
}

func TestReadyz(t *testing.T) {
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, tt := range []struct {
		name  string
		ping  func(context.Context) error
		drain bool
		want  int
	}{
		{"ready", func(context.Context) error { return nil }, false, 200},
		{"draining", func(context.Context) error { return nil }, true, 503},
		{"Redis away", func(context.Context) error { return errors.New("refused") }, false, 503},
		{"Redis hangs", hang, false, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, _, h := adminFor(t, tt.ping)
			if tt.drain {
				a.drain()
			}
			start := time.Now()
			if w := request(h, "GET", "/readyz", "192.0.2.1:1"); w.Code != tt.want {
				t.Errorf("status = %d, want %d", w.Code, tt.want)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v, want about a second at most", took)
			}
		})
	}
}
