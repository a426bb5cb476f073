package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"orderq/internal/bench"
)

// benchOptions are the flags of orderq bench http.
type benchOptions struct {
	connections int
	round       time.Duration
	rounds      int
	redis       string
	against     string
}

func newBenchHTTPCommand(a *app) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "http",
		Short: "Measure POST /v1/orders as ratios to servers that do less",
		Long: "Runs a producer as orderq producer does, with checks, metrics and logs, and loads it\n" +
			"in turns with servers to compare with: the same one without Redis, one that only\n" +
			"reads the order and answers 202, the batch call, and with --against any other server.\n" +
			"The figures of a machine change from minute to minute; the ratios of one run are what\n" +
			"counts. The load comes from this process, so it shares the machine with what it\n" +
			"measures.\n\n" +
			"Redis is a redis-server of its own, with an append-only file in a temporary folder.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.benchHTTP(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.IntVar(&o.connections, "connections", 64, "connections at once; batches come on 8")
	f.DurationVar(&o.round, "round", 3*time.Second, "how long each is loaded at a time")
	f.IntVar(&o.rounds, "rounds", 5, "how many times; the median counts")
	f.StringVar(&o.redis, "redis", "", "use this Redis, HOST:PORT, and leave the queue bench there")
	f.StringVar(&o.against, "against", "", "compare with this server too: the URL that takes the same orders by POST")
	return cmd
}

func (o benchOptions) check() error {
	if o.connections < 1 || o.rounds < 1 || o.round <= 0 {
		return usageErrorf("--connections, --rounds and --round must be above 0")
	}
	if u, err := url.Parse(o.against); err != nil || (o.against != "" && (u.Scheme != "http" || u.Host == "")) {
		return usageErrorf("--against %s: want an address such as http://127.0.0.1:8081/orders", o.against)
	}
	return nil
}

func (a *app) benchHTTP(ctx context.Context, o benchOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	b, err := a.startBench(ctx, o)
	if err != nil {
		return err
	}
	contest := bench.Contest{
		Contenders: b.all(), Rounds: o.rounds, Each: o.round,
		Progress: func(round int, name string) { fmt.Fprintf(a.stderr, "round %d of %d: %s\n", round, o.rounds, name) },
	}
	err = errors.Join(contest.Run(ctx), b.close())
	if ctx.Err() != nil {
		return &exitError{code: exitFailed, lines: []string{"interrupted"}}
	}
	if err != nil {
		return err
	}
	return b.report(a.stdout, a.flags.output)
}

// ratios are the figures that count.
func (b *benchServers) ratios() []benchRatio {
	of := func(a, to *bench.Contender) benchRatio {
		r := a.To(to)
		return benchRatio{Of: a.Name, To: to.Name, Median: r.Median, Least: r.Least, Most: r.Most}
	}
	all := []benchRatio{of(b.single, b.idle), of(b.single, b.raw), of(b.batch, b.single)}
	if b.another != nil {
		all = append(all, of(b.single, b.another))
	}
	return all
}

type benchRatio struct {
	Of     string  `json:"of"`
	To     string  `json:"to"`
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

type benchServer struct {
	Name        string    `json:"name"`
	PerSecond   float64   `json:"orders_per_second"` // the median
	Rounds      []float64 `json:"rounds"`
	Connections int       `json:"connections"`
	P50         float64   `json:"p50_seconds"` // of a request, in the last round
	P99         float64   `json:"p99_seconds"`
}

func (b *benchServers) report(w io.Writer, format string) error {
	var servers []benchServer
	for _, c := range b.all() {
		servers = append(servers, benchServer{
			Name: c.Name, PerSecond: c.PerSecond(), Rounds: c.Rounds, Connections: c.Load.Connections,
			P50: c.Last.P50.Seconds(), P99: c.Last.P99.Seconds(),
		})
	}
	if format != "table" {
		return json.NewEncoder(w).Encode(map[string]any{"servers": servers, "ratios": b.ratios()})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVER\tCONNECTIONS\tORDERS/S\tP50\tP99")
	for _, s := range servers {
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%.2f ms\t%.2f ms\n", s.Name, s.Connections, s.PerSecond, 1000*s.P50, 1000*s.P99)
	}
	fmt.Fprintln(t, "\nRATIO\t\tMEDIAN\tLEAST\tMOST")
	for _, r := range b.ratios() {
		fmt.Fprintf(t, "%s\tto %s\t%.2f\t%.2f\t%.2f\n", r.Of, r.To, r.Median, r.Least, r.Most)
	}
	return t.Flush()
}
