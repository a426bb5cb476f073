package campaign

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// consumerHeader tells the partner which consumer calls, by its number.
const consumerHeader = "X-Campaign-Consumer"

// setup is what differs between the systems of the tests.
type setup struct {
	Consumers   int
	Pace        string
	Lease       time.Duration
	Timeout     time.Duration // of a call
	MaxInFlight int
	Queue       string // empty is "campaign"
	// Where Redis is: at most one of these. Without any, a plain server is
	// started, with RedisArgs.
	Redis      *redistest.Server
	Replicated *redistest.Replicated
	Cluster    *redistest.Cluster
	RedisArgs  []string

	Binary     string   // the program; empty is the one users get
	Durability string   // empty is memory
	Env        []string // of the processes
	Respond    func(partner.Call) partner.Response
}

// system is the whole of it: a Redis, a producer, consumers, all processes of
// their own, and a partner in this one.
type system struct {
	t         *testing.T
	setup     setup
	dir       string
	redis     *redistest.Server // nil with Sentinel or a cluster
	partner   *partner.Partner
	api       *httptest.Server
	arrivals  chan int // the consumer of each call; dropped while nobody listens
	url       string   // of the producer
	producer  *process
	consumers []*process
	queue     *streamutil.Queue
}

// newSystem starts Redis and the partner, and makes the processes ready to be
// started. What they log is kept if the test fails.
func newSystem(t *testing.T, c setup) *system {
	t.Helper()
	c.Queue = cmp.Or(c.Queue, "campaign")
	if c.Binary == "" {
		c.Binary = orderq(t)
	}
	s := &system{t: t, setup: c, dir: logDir(t), redis: c.Redis, arrivals: make(chan int)}
	if s.redis == nil && c.Replicated == nil && c.Cluster == nil {
		s.redis = redistest.Start(t, c.RedisArgs...)
	}
	s.partner = partner.New(partner.Options{Respond: s.respond})
	s.api = httptest.NewServer(s.partner)
	t.Cleanup(s.api.Close)
	client := streamutil.NewClient(s.clientConfig())
	t.Cleanup(client.Close)
	var err error
	if s.queue, err = streamutil.NewQueue(client, streamutil.QueueConfig{Name: c.Queue}); err != nil {
		t.Fatal(err)
	}
	address := redistest.FreeAddress(t)
	s.url = "http://" + address
	s.producer = s.process("producer", s.config("producer", address, 0))
	for i := range c.Consumers {
		name := "consumer" + strconv.Itoa(i)
		s.consumers = append(s.consumers, s.process("consumer", s.config(name, address, i)))
	}
	return s
}

// clientConfig says where Redis is.
func (s *system) clientConfig() streamutil.ClientConfig {
	switch c := s.setup; {
	case c.Replicated != nil:
		return streamutil.ClientConfig{SentinelMaster: redistest.MasterName, SentinelAddresses: c.Replicated.SentinelAddrs()}
	case c.Cluster != nil:
		return streamutil.ClientConfig{Addresses: c.Cluster.Addrs()}
	default:
		return streamutil.ClientConfig{Addresses: []string{s.redis.Addr()}}
	}
}

func (s *system) respond(c partner.Call) partner.Response {
	if n, err := strconv.Atoi(c.Header.Get(consumerHeader)); err == nil {
		select {
		case s.arrivals <- n:
		default:
		}
	}
	if s.setup.Respond == nil {
		return partner.Response{}
	}
	return s.setup.Respond(c)
}

// config writes a configuration file.
func (s *system) config(name, listen string, number int) string {
	s.t.Helper()
	at := s.clientConfig()
	text := fmt.Sprintf(`
redis: {addresses: [%s], sentinel: {master: %q, addresses: [%s]}, durability: %s}
queue: {name: %s, max_in_flight: %d}
producer: {listen: %q, admin: ""}
consumer:
  admin: ""
  pace: %s
  lease: %s
  stop_timeout: 10s
  api: {url: %q, timeout: %s, headers: {%s: "%d"}}
log: {level: debug, format: json}
`, strings.Join(at.Addresses, ","), at.SentinelMaster, strings.Join(at.SentinelAddresses, ","),
		cmp.Or(s.setup.Durability, "memory"), s.setup.Queue, s.setup.MaxInFlight, listen, s.setup.Pace, s.setup.Lease,
		s.api.URL+"/orders", s.setup.Timeout, consumerHeader, number)
	file := filepath.Join(s.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// process makes one from its configuration file. It is killed with the test.
func (s *system) process(command, config string) *process {
	name := filepath.Base(config[:len(config)-len(filepath.Ext(config))])
	p := &process{
		t: s.t, name: name, binary: s.setup.Binary, args: []string{command, "--config", config},
		env: append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "ORDERQ_TEST_STAMP=1"}, s.setup.Env...),
		log: filepath.Join(s.dir, name+".log"),
	}
	s.t.Cleanup(p.kill)
	return p
}

// startProducer runs the producer and waits until it is ready.
func (s *system) startProducer() {
	s.t.Helper()
	s.producer.start()
	await(s.t, 10*time.Second, "the producer is ready", func() bool {
		s.producer.mustRun()
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (s *system) startConsumers() {
	s.t.Helper()
	for _, c := range s.consumers {
		c.start()
	}
}

// stopConsumers asks all for an orderly end.
func (s *system) stopConsumers() {
	s.t.Helper()
	for _, c := range s.consumers {
		if err := c.terminate(15 * time.Second); err != nil {
			s.t.Error(err)
		}
	}
}

// inspect gives the queue as it is; false while Redis is away.
func (s *system) inspect() (streamutil.Snapshot, bool) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
	defer cancel()
	snap, err := s.queue.Inspect(ctx)
	return snap, err == nil
}

// finish waits until nothing is left in the queue, stops the consumers and
// gathers what a check needs to know.
func (s *system) finish(ctx context.Context, shop *shop, within time.Duration) Evidence {
	s.t.Helper()
	await(s.t, within, "the queue is empty", func() bool {
		snap, ok := s.inspect()
		return ok && snap.Length == 0
	})
	s.stopConsumers()
	states, err := shop.states(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	final, ok := s.inspect()
	if !ok {
		s.t.Fatal("the queue cannot be inspected at the end")
	}
	return Evidence{
		Accepted: shop.accepted, Calls: s.partner.Calls(), States: states, Final: final, Poison: s.poison(),
	}
}

// poison gives the orders whose dead letter says that consumers died with them.
func (s *system) poison() map[string]bool {
	s.t.Helper()
	letters, err := s.queue.DeadLetters(s.t.Context(), streamutil.EntryID{}, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	poison := map[string]bool{}
	for _, l := range letters {
		if l.Reason == streamutil.ReasonPoison {
			poison[l.OrderID] = true
		}
	}
	return poison
}

// logDir is removed after a test that passes.
func logDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "orderq-campaign-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the processes' logs are kept in %s", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// await asks again and again whether cond holds, and ends the test after the time.
func await(t *testing.T, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", within, what)
		case <-tick.C:
		}
	}
}
