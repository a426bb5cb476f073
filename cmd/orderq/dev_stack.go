package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"orderq/consumer"
	"orderq/internal/partner"
	"orderq/producer"
	"orderq/streamutil"
)

// devStack is everything that one orderq dev runs: a service that is producer
// and consumer at once, and what others would find around it.
type devStack struct {
	*service

	options  devOptions
	report   *devReport
	settings devSettings
	redis    *devRedis

	listener, adminListener net.Listener
	producer                *producer.Handler
	consumer                *consumer.Consumer

	// undo ends what was begun, the last first.
	undo []func() error
}

func (s *devStack) later(undo func() error) { s.undo = append(s.undo, undo) }

// close ends everything; each step runs, whatever the others said.
func (s *devStack) close() error {
	var errs []error
	for _, undo := range slices.Backward(s.undo) {
		errs = append(errs, undo())
	}
	s.undo = nil
	return errors.Join(errs...)
}

// start makes everything ready, what can be in use by others first.
func (s *devStack) start(ctx context.Context, a *app) error {
	lock, err := openDevDir(ctx, devDir, s.options.fresh)
	if err != nil {
		return err
	}
	s.later(lock.Close)
	if s.listener, err = s.bind("--listen", s.options.listen); err != nil {
		return err
	}
	if s.adminListener, err = s.bind("--admin", s.options.admin); err != nil {
		return err
	}
	apiURL, err := s.startPartner()
	if err != nil {
		return err
	}
	if s.redis, err = startDevRedis(ctx, s.options.redis, redisDir(devDir), lock); err != nil {
		return err
	}
	s.later(s.redis.stop)
	s.settings = devSettings{
		redis: s.redis.addr, queue: cmp.Or(a.flags.queue, streamutil.DefaultQueue), pace: s.options.pace, apiURL: apiURL,
		listen: s.listener.Addr().String(), admin: s.adminListener.Addr().String(),
	}
	if s.service, err = s.newService(a); err != nil {
		return err
	}
	s.later(func() error { s.service.close(); return nil })
	return s.build()
}

// bind listens on a flag's address.
func (s *devStack) bind(flag, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			err = op.Err
		}
		return nil, fmt.Errorf("listen on %s: %w; choose another with %s HOST:PORT", addr, err, flag)
	}
	s.later(func() error {
		_ = l.Close() // its server may have done so
		return nil
	})
	return l, nil
}

// startPartner gives the URL of the partner: the one asked for, or a simulated
// one that it starts.
func (s *devStack) startPartner() (string, error) {
	if s.options.apiURL != "" {
		return s.options.apiURL, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("start the simulated partner: %w", err)
	}
	server := &http.Server{
		Handler: partner.New(partner.Options{
			Latency: s.options.apiLatency, FailRate: s.options.apiFail,
			Seed: uint64(time.Now().UnixNano()), Forget: true,
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = server.Serve(l) }() // ends with Close
	s.later(server.Close)
	return "http://" + l.Addr().String() + "/orders", nil
}

// newService writes the configuration that other commands will read, and
// builds from the same one.
func (s *devStack) newService(a *app) (*service, error) {
	path := filepath.Join(devDir, localFile)
	if err := s.settings.write(path); err != nil {
		return nil, err
	}
	// What our own flags say stands above what --set says.
	set := slices.Concat([]string{"log.level=warn"}, a.flags.set, s.settings.pairs())
	cfg, err := load(sources{config: path, set: set}, roleConsumer)
	if err != nil {
		return nil, err
	}
	log, err := newLogging(cfg, a.stderr, a.lookup("NO_COLOR") != "")
	if err != nil {
		return nil, err
	}
	v := &service{cfg: cfg, log: log, registry: newRegistry(), stuck: neverStuck, redisSeen: make(chan struct{})}
	log.countIn(v.registry)
	if v.client, v.queue, err = cfg.open(); err != nil {
		log.close()
		return nil, err
	}
	v.admin = newAdminOn(v, s.adminListener)
	return v, nil
}

// build makes the producer and the consumer.
func (s *devStack) build() (err error) {
	if s.producer, err = producer.New(s.queue, s.cfg.producerConfig(s.log.flood.logger(), s.registry)); err != nil {
		return err
	}
	sender, err := s.cfg.newSender(s.log.Logger)
	if err != nil {
		return fmt.Errorf("prepare the partner's API: %w", err)
	}
	s.later(func() error { sender.Close(); return nil })
	told := &devSender{HTTPSender: sender, report: s.report}
	if s.consumer, err = consumer.New(s.queue, told, s.cfg.consumerConfig(s.log.Logger, s.registry)); err != nil {
		return err
	}
	return nil
}

// ordersURL is where this process takes orders, as its own machine reaches it.
func (s *devStack) ordersURL() string {
	host, port, _ := net.SplitHostPort(s.settings.listen)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/v1/orders"
}
