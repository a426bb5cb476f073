package main

import (
	"context"
	"net"
	"net/http"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"orderq/producer"
)

func newProducerCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "producer",
		Short: "Take orders by HTTP until stopped",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runProducer(cmd.Context()) },
	}
}

func (a *app) runProducer(ctx context.Context) error {
	s, err := a.newService(roleProducer, "producer.admin", func(c Config) string { return c.Producer.Admin })
	if err != nil {
		return err
	}
	defer s.close()
	h, err := producer.New(s.queue, s.cfg.producerConfig(s.log.Logger, s.registry))
	if err != nil {
		return err
	}
	listener, err := listen("producer.listen", s.cfg.Producer.Listen)
	if err != nil {
		return err
	}
	s.log.Info("taking orders", zap.Stringer("address", listener.Addr()),
		zap.String("queue", s.queue.Name()), zap.String("redis", s.queue.Redis()))
	return s.run(ctx, func(ctx context.Context) error { return s.takeOrders(ctx, listener, h) })
}

// takeOrders serves until ctx ends. Then it first says that it goes, so that
// load balancers look elsewhere, and goes on serving until they did; last, it
// closes the listener and lets the requests that run end.
func (s *service) takeOrders(ctx context.Context, l net.Listener, h *producer.Handler) error {
	server := newServer(h, s.log.Named("producer"))
	serve := func() error { return server.Serve(l) }
	if cert := s.cfg.Producer.TLSCertFile; cert != "" {
		serve = func() error { return server.ServeTLS(l, string(cert), string(s.cfg.Producer.TLSKeyFile)) }
	}
	return serveUntil(ctx, serve, func() error {
		s.log.Info("stopping: no new clients")
		h.Drain()
		s.admin.drain()
		rest := context.WithoutCancel(ctx)
		wait(rest, s.cfg.Producer.DrainDelay)
		return s.shutdown(rest, server)
	})
}

func (s *service) shutdown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Producer.StopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		// Those who were cut got no answer and will ask again.
		s.log.Warn("requests did not end in time and were cut", zap.Duration("stop_timeout_s", s.cfg.Producer.StopTimeout))
		return server.Close()
	}
	s.log.Info("stopped")
	return nil
}
