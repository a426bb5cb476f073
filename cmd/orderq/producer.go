package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"orderq/producer"
)

func newProducerCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "producer",
		Annotations: map[string]string{stays: "yes"},
		Short:       "Take orders by HTTP until stopped",
		Args:        cobra.NoArgs,
		RunE:        func(cmd *cobra.Command, _ []string) error { return a.runProducer(cmd.Context()) },
	}
}

func (a *app) runProducer(ctx context.Context) error {
	s, err := a.newService(roleProducer, "producer.admin", func(c Config) string { return c.Producer.Admin })
	if err != nil {
		return err
	}
	defer s.close()
	h, err := producer.New(s.queue, s.cfg.producerConfig(s.log.flood.logger(), s.registry))
	if err != nil {
		return err
	}
	door, err := s.openDoor()
	if err != nil {
		return err
	}
	listener := door.Listener
	s.warnOfOpenDoors(listener.Addr())
	s.log.Info("taking orders", zap.String("address", addressText(listener.Addr())),
		zap.String("queue", s.queue.Name()), zap.String("redis", s.queue.Redis()))
	return s.run(ctx, func(ctx context.Context) error { return s.takeOrders(ctx, door, h) })
}

// door is where orders come in.
type door struct {
	net.Listener

	// stays is whether it outlives this process, which a successor then finds open.
	stays bool
}

// openDoor takes systemd's listener over, or else binds one.
func (s *service) openDoor() (door, error) {
	l, err := inherited()
	if err != nil || l != nil {
		return door{l, true}, err
	}
	l, err = bind("producer.listen", s.cfg.Producer.Listen)
	return door{l, false}, err
}

// takeOrders serves until ctx ends. Then it says that it goes, so that load
// balancers look elsewhere, and goes on answering until they did and the requests
// that run have ended; new orders it refuses. Last, it closes the door. At a door
// that stays nobody need look elsewhere: new clients wait for the next process, and
// those who are in get a last answer.
func (s *service) takeOrders(ctx context.Context, d door, h *producer.Handler) error {
	log := s.log.flood.logger().Named("producer")
	entry := newEntrance(d, maxConnections, log)
	server := newServer(entry.telling(h), log)
	server.ConnState = noteState
	serve := func() error { return server.Serve(entry) }
	if s.cfg.certificate != nil {
		server.TLSConfig = serverTLS(s.cfg.certificate.follow(s.log.Logger))
		serve = func() error { return server.ServeTLS(entry, "", "") }
	}
	return serveUntil(ctx, serve, func() error {
		s.log.Info("stopping: no new clients")
		s.admin.drain()
		rest := context.WithoutCancel(ctx)
		entry.lastCall()
		if d.stays {
			entry.stop(rest)
		} else {
			h.Drain()
			wait(rest, s.cfg.Producer.DrainDelay)
		}
		rest, cancel := context.WithTimeout(rest, s.cfg.Producer.StopTimeout)
		defer cancel()
		entry.seeOff(rest)
		if !d.stays {
			entry.finish(rest)
			entry.seeOff(rest)
		}
		return s.shutdown(rest, server)
	})
}

// serverTLS asks for the certificate at every handshake: a renewed one needs no
// restart.
func serverTLS(certificate func() *tls.Certificate) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate(), nil },
	}
}

// warnOfOpenDoors says what an address that others than this machine reach lets
// in or gives away.
func (s *service) warnOfOpenDoors(at net.Addr) {
	if isLoopback(at) {
		return
	}
	address := zap.String("address", addressText(at))
	if s.cfg.tokens == nil {
		s.log.Warn("anybody who reaches this address can submit, see and cancel orders: set producer.tokens_file", address)
	}
	if s.cfg.certificate == nil {
		s.log.Warn("orders and tokens travel in the clear: set producer.tls_cert_file, or let only a proxy that does TLS reach this address", address)
	}
}

func (s *service) shutdown(ctx context.Context, server *http.Server) error {
	if err := server.Shutdown(ctx); err != nil {
		// Those who were cut got no answer and will ask again.
		s.log.Warn("requests did not end in time and were cut", zap.Duration("stop_timeout_s", s.cfg.Producer.StopTimeout))
		return server.Close()
	}
	s.log.Info("stopped")
	return nil
}
