package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// devOptions are the flags of orderq dev.
type devOptions struct {
	orders          int
	exitWhenDrained bool
	fresh           bool
	pace            string
	listen, admin   string
	redis           string
	apiURL          string
	apiLatency      time.Duration
	apiFail         float64
}

// newDevCommand gives orderq dev: everything in one process, to try it out.
func newDevCommand(a *app) *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:         "dev",
		Annotations: map[string]string{stays: "yes"},
		Short:       "Try it out: Redis, a simulated partner, producer and consumer in one process",
		Long: "Starts all that orderq needs, submits a few sample orders and prints a line for\n" +
			"each call to the partner, with the time since the last one began. Its files are in\n" +
			devDir + "; with a redis-server on the PATH the next start goes on with what was left.\n" +
			"No configuration file or environment counts here but its own flags and --set.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd.Flags().Changed); err != nil {
				return err
			}
			if err := checkDevSettings(a.flags.set); err != nil {
				return err
			}
			return a.dev(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&o.orders, "orders", 5, "how many sample orders to submit")
	f.BoolVar(&o.exitWhenDrained, "exit-when-drained", false, "end when every order is finished")
	f.StringVar(&o.pace, "pace", "1/s", "how fast orders are sent: 1/s, 30/m, 2500/h or unlimited")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "where orders come in, HOST:PORT")
	f.StringVar(&o.admin, "admin", "127.0.0.1:9181", "metrics and probes, HOST:PORT")
	f.StringVar(&o.apiURL, "api-url", "", "send to this URL instead of a simulated partner")
	f.DurationVar(&o.apiLatency, "api-latency", 0, "how long the simulated partner takes for a call")
	f.Float64Var(&o.apiFail, "api-fail", 0, "share of calls that the simulated partner answers with 500, 0 to 1")
	f.StringVar(&o.redis, "redis", "auto", "auto (a redis-server on the PATH, else embedded), embedded, or HOST:PORT of one that runs")
	f.BoolVar(&o.fresh, "fresh", false, "forget the orders of the last run first")
	return cmd
}

// check refuses flags that make no sense, or none together.
func (o devOptions) check(given func(flag string) bool) error {
	if o.orders < 0 {
		return usageErrorf("--orders %d: want 0 or more", o.orders)
	}
	if _, err := streamutil.ParsePace(o.pace); err != nil {
		return usageErrorf("--pace: %s", err)
	}
	if o.apiFail < 0 || o.apiFail > 1 {
		return usageErrorf("--api-fail %v: want a share from 0 to 1", o.apiFail)
	}
	if o.apiLatency < 0 {
		return usageErrorf("--api-latency %v: want 0 or more", o.apiLatency)
	}
	if o.redis != "auto" && o.redis != "embedded" {
		if _, _, err := net.SplitHostPort(o.redis); err != nil {
			return usageErrorf("--redis %q: want auto, embedded or HOST:PORT", o.redis)
		}
		if o.fresh {
			return usageErrorf("--fresh forgets only what orderq dev itself keeps; it does nothing to --redis %s", o.redis)
		}
	}
	if o.apiURL == "" {
		return nil
	}
	if u, err := url.Parse(o.apiURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usageErrorf("--api-url %q: want http://HOST/PATH or https://HOST/PATH", o.apiURL)
	}
	if given("api-latency") || given("api-fail") {
		return usageErrorf("--api-latency and --api-fail are for the simulated partner; they do nothing with --api-url")
	}
	return nil
}

// checkDevSettings refuses what would be believed to protect something.
func checkDevSettings(set []string) error {
	for _, assigned := range set {
		key, value, _ := strings.Cut(assigned, "=")
		switch strings.TrimSpace(key) {
		case "producer.tokens_file", "producer.tls_cert_file", "producer.tls_key_file":
			if value != "" {
				return usageErrorf("--set %s: orderq dev takes orders without tokens and TLS; use orderq producer", key)
			}
		}
	}
	return nil
}

// dev runs everything until ctx ends or, if it was asked for, the queue is empty.
func (a *app) dev(ctx context.Context, o devOptions) (err error) {
	s := &devStack{options: o, report: &devReport{out: a.stdout}}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.start(ctx, a); err != nil {
		return err
	}
	return s.run(ctx)
}

// introduce says what runs where, and what to try next.
func (s *devStack) introduce() {
	partner := s.settings.apiURL
	if s.options.apiURL == "" {
		partner += ", simulated"
	}
	if s.options.apiLatency > 0 {
		partner += fmt.Sprintf(", takes %v", s.options.apiLatency)
	}
	if s.options.apiFail > 0 {
		partner += fmt.Sprintf(", answers %g %% with 500", 100*s.options.apiFail)
	}
	s.report.say("redis    %s, %s", s.redis.addr, s.redis.about)
	s.report.say("partner  %s", partner)
	s.report.say("page     %s", strings.TrimSuffix(s.ordersURL(), "v1/orders"))
	s.report.say("orders   POST %s", s.ordersURL())
	if !isLoopback(s.listener.Addr()) {
		s.report.say("         from anybody who reaches this address: --listen 127.0.0.1:8080 keeps others out")
	}
	s.report.say("metrics  http://%s/metrics", s.settings.admin)
	s.report.say("pace     %s", s.settings.pace)
	s.report.say("status   bin/orderq status --config %s", filepath.Join(devDir, localFile))
	s.report.say("Ctrl-C ends it.")
	s.report.say("")
}
