package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"orderq/metrics"
)

// admin serves what is for operators and not for shops: /metrics, /livez and
// /readyz for everybody who reaches it; /loglevel and /debug/pprof/ for clients
// on the same machine only.
type admin struct {
	listener net.Listener // nil where the address is empty
	server   *http.Server
	ping     func(context.Context) error
	draining atomic.Bool
}

// newAdmin binds the listener. An empty address gives one that serves nothing.
// Every process tells of the queue: with all consumers dead the producers do.
func newAdmin(s *service, key, address string) (*admin, error) {
	if address == "" {
		return newAdminOn(s, nil), nil
	}
	listener, err := listen(key, address, maxConnections)
	if err != nil {
		return nil, err
	}
	s.log.Info("serving metrics and probes", zap.String("address", addressText(listener.Addr())))
	return newAdminOn(s, listener), nil
}

func newAdminOn(s *service, listener net.Listener) *admin {
	a := &admin{listener: listener, ping: s.queue.Ping}
	if listener != nil {
		metrics.NewStream(s.registry, s.queue)
		a.server = newServer(a.routes(s), s.log.flood.logger().Named("admin"))
	}
	return a
}

func (a *admin) routes(s *service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		Registry: s.registry, ErrorLog: zap.NewStdLog(s.log.Named("admin")),
		ErrorHandling: promhttp.ContinueOnError, EnableOpenMetrics: true,
		MaxRequestsInFlight: 4, Timeout: 8 * time.Second,
	}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("/loglevel", localOnly(s.log.level))
	mux.Handle("/debug/pprof/", localOnly(http.HandlerFunc(pprof.Index)))
	mux.Handle("/debug/pprof/cmdline", localOnly(http.HandlerFunc(pprof.Cmdline)))
	mux.Handle("/debug/pprof/profile", localOnly(http.HandlerFunc(pprof.Profile)))
	mux.Handle("/debug/pprof/symbol", localOnly(http.HandlerFunc(pprof.Symbol)))
	mux.Handle("/debug/pprof/trace", localOnly(http.HandlerFunc(pprof.Trace)))
	// A page in a browser on this machine must not change the log's level.
	return http.NewCrossOriginProtection().Handler(mux)
}

// drain makes /readyz say no: this process is about to end.
func (a *admin) drain() { a.draining.Store(true) }

func (a *admin) readyz(w http.ResponseWriter, r *http.Request) {
	if a.draining.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	if err := a.ping(ctx); err != nil {
		http.Error(w, "Redis does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// run serves until ctx ends.
func (a *admin) run(ctx context.Context) error {
	if a.listener == nil {
		<-ctx.Done()
		return nil
	}
	return serveUntil(ctx, func() error { return a.server.Serve(a.listener) }, func() error { return a.server.Close() })
}

// localOnly answers clients on this machine. Others learn nothing, not even
// that there is something.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocal(r *http.Request) bool {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && at.Network() == "unix" {
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
