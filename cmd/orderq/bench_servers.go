package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"orderq/internal/bench"
	"orderq/producer"
	"orderq/streamutil"
)

// Batches have so many orders, and come on so many connections.
const (
	batchOrders      = 500
	batchConnections = 8
)

// benchServers are the servers that orderq bench http compares, and what they
// need.
type benchServers struct {
	options                           benchOptions
	redis                             string
	raw, idle, single, batch, another *bench.Contender // another is nil without --against
	undo                              []func() error
}

func (b *benchServers) close() error {
	var errs []error
	for _, undo := range slices.Backward(b.undo) {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

// all are those that are there, in the order in which they run and are shown.
func (b *benchServers) all() []*bench.Contender {
	list := []*bench.Contender{b.raw, b.idle, b.single, b.batch}
	if b.another != nil {
		list = append(list, b.another)
	}
	return list
}

// startBench starts the servers; what was started is ended if one cannot be.
func (a *app) startBench(ctx context.Context, o benchOptions) (_ *benchServers, err error) {
	b := &benchServers{options: o, redis: o.redis}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	dir, err := os.MkdirTemp("", "orderq-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the measuring: %w", err)
	}
	b.undo = append(b.undo, func() error { return os.RemoveAll(dir) })
	if b.redis == "" {
		if b.redis, err = b.startRedis(ctx, dir); err != nil {
			return nil, err
		}
	}
	taker, idle, err := b.startProducers(a, dir)
	if err != nil {
		return nil, err
	}
	raw, err := b.serve(http.HandlerFunc(answer202), zap.NewNop())
	if err != nil {
		return nil, err
	}
	prefix := "b" + strconv.FormatInt(time.Now().Unix(), 36) // of a run, so that no order is a duplicate
	b.raw = b.contender("HTTP alone", bench.Load{Addr: raw, Path: "/v1/orders"}, prefix)
	b.idle = b.contender("202 without Redis", bench.Load{Addr: idle, Path: "/v1/orders"}, prefix)
	b.single = b.contender("POST /v1/orders", bench.Load{Addr: taker, Path: "/v1/orders"}, prefix)
	b.batch = b.contender("POST /v1/orders:batch", bench.Load{
		Addr: taker, Path: "/v1/orders:batch", ContentType: "application/x-ndjson", Connections: batchConnections, Orders: batchOrders,
		Body: func(buf []byte, n int64) []byte {
			return bench.AppendLines(buf, prefix+"batch", n*batchOrders, batchOrders)
		},
	}, prefix)
	if u, _ := url.Parse(o.against); u.Host != "" {
		b.another = b.contender(o.against, bench.Load{Addr: withPort(u.Host), Path: u.RequestURI()}, prefix)
	}
	return b, nil
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err != nil {
		return net.JoinHostPort(host, "80")
	}
	return host
}

// contender completes a load; one that says nothing else sends single orders.
func (b *benchServers) contender(name string, l bench.Load, prefix string) *bench.Contender {
	l.ContentType = cmp.Or(l.ContentType, "application/json")
	l.Connections, l.Orders = cmp.Or(l.Connections, b.options.connections), cmp.Or(l.Orders, 1)
	if l.Body == nil {
		l.Body = func(buf []byte, n int64) []byte { return bench.AppendOrder(buf, prefix+strconv.Itoa(len(name)), n) }
	}
	return &bench.Contender{Name: name, Load: l}
}

func (b *benchServers) startRedis(ctx context.Context, dir string) (addr string, err error) {
	binary, version, missing := findRedisServer(ctx)
	if missing != "" {
		return "", fmt.Errorf("start a Redis to measure with: %s; install one, or name one with --redis HOST:PORT", missing)
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return "", fmt.Errorf("make a file for the measuring: %w", err)
	}
	b.undo = append(b.undo, lock.Close)
	// A load like this makes the file grow so fast that Redis would write it anew all
	// the time, beside what is measured.
	server, err := startRedisServer(ctx, binary, version, filepath.Join(dir, "redis"), lock, "--auto-aof-rewrite-percentage", "0")
	if err != nil {
		return "", err
	}
	b.undo = append(b.undo, server.stop)
	return server.addr, nil
}

// startProducers serves orders as orderq producer does, with its log in a file: once
// with Redis, and once without.
func (b *benchServers) startProducers(a *app, dir string) (taker, idle string, err error) {
	// A file of its own, so that no other is looked for.
	path := filepath.Join(dir, localFile)
	config := fmt.Sprintf("redis: {addresses: [%q]}\nqueue: {name: bench, max_backlog: 1000000000}\nlog: {file: log, format: json}\n", b.redis)
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return "", "", fmt.Errorf("write a configuration for the measuring: %w", err)
	}
	cfg, err := load(sources{config: path}, roleOperator)
	if err != nil {
		return "", "", err
	}
	log, err := newLogging(cfg, a.stderr, true)
	if err != nil {
		return "", "", err
	}
	b.undo = append(b.undo, func() error { log.close(); return nil })
	client, queue, err := cfg.open()
	if err != nil {
		return "", "", err
	}
	b.undo = append(b.undo, func() error { client.Close(); return nil })
	produce := func(q producer.Queue) (string, error) {
		c := cfg.producerConfig(log.Logger, newRegistry())
		c.MaxBatches = max(c.MaxBatches, 2*batchConnections) // one client has not all of them
		h, err := producer.New(q, c)
		if err != nil {
			return "", err
		}
		return b.serve(h, log.Logger)
	}
	if taker, err = produce(queue); err != nil {
		return "", "", err
	}
	idle, err = produce(idleQueue{queue})
	return taker, idle, err
}

// idleQueue accepts every order and keeps none, so that what is left is what a
// producer does besides.
type idleQueue struct{ *streamutil.Queue }

// Enqueue implements [producer.Queue].
func (idleQueue) Enqueue(context.Context, streamutil.NewOrder) (streamutil.Receipt, error) {
	now := time.Now()
	return streamutil.Receipt{
		Entry: streamutil.EntryID{Ms: uint64(now.UnixMilli())}, State: streamutil.Waiting,
		Place: streamutil.Place{Position: 123_456, Known: true, At: now},
	}, nil
}

// serve runs a server of the kind that orderq producer has.
func (b *benchServers) serve(h http.Handler, log *zap.Logger) (addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen for the measuring: %w", err)
	}
	server := newServer(h, log)
	go func() { _ = server.Serve(l) }() // ends with Close
	b.undo = append(b.undo, server.Close)
	return l.Addr().String(), nil
}

// answer202 does what HTTP itself costs: reads the order and sends an answer of
// the usual size.
func answer202(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"order_id":"order-12345678","entry_id":"1700000000000-0","state":"waiting","position":123456,`+
		`"estimated_at":"2026-01-02T03:04:05.678Z","duplicate":false,"durability":"memory"}`+"\n")
}
