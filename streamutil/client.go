package streamutil

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	// callTimeout bounds every call whose caller has no nearer deadline.
	callTimeout = 2 * time.Second
	dialTimeout = time.Second
	// redialAfter is how long a failed dial answers for those who come next, so
	// that many callers of an absent server make few dials.
	redialAfter = 100 * time.Millisecond
)

// ClientConfig says which Redis, and how durable its writes must be. The zero
// value means 127.0.0.1:6379 and memory.
type ClientConfig struct {
	// Addresses are host:port; more than one means a cluster. Default
	// 127.0.0.1:6379.
	Addresses []string
	// Username and Password are sent with AUTH; empty means none.
	Username, Password string
	// DB is the database number (SELECT); a cluster has only 0.
	DB int
	// TLS switches TLS on; nil is plain TCP.
	TLS *tls.Config
	// SentinelMaster and SentinelAddresses find the master through Sentinel,
	// instead of Addresses.
	SentinelMaster    string
	SentinelAddresses []string
	// Durability is what accepting, taking and settling must reach.
	Durability Durability
	// ClientName shows in CLIENT LIST. Default "orderq".
	ClientName string
	// RESP2 speaks the older protocol, which servers before Redis 6 know alone. For
	// a [SourceList]; no queue can be on such a server.
	RESP2 bool
}

// Client is a connection to Redis that comes up when it is first used, and
// again whenever it was lost. It is safe for concurrent use.
type Client struct {
	cfg ClientConfig

	// What CheckDurability found out, for durability fsync.
	fsyncChecked, appendAlways atomic.Bool

	mu     sync.Mutex
	rdb    rueidis.Client // nil until the first dial succeeded
	dial   *dial          // the dial under way, or the last one that failed
	closed bool
}

// dial is one attempt to connect, shared by all who wait for it.
type dial struct {
	done  chan struct{}
	err   error
	ended time.Time
}

// NewClient returns a client at once; whether Redis is there shows in the
// first call.
func NewClient(cfg ClientConfig) *Client {
	if len(cfg.Addresses) == 0 {
		cfg.Addresses = []string{"127.0.0.1:6379"}
	}
	if cfg.ClientName == "" {
		cfg.ClientName = "orderq"
	}
	return &Client{cfg: cfg}
}

// options holds every setting of rueidis, each for a reason that loses or
// doubles orders otherwise.
func (c *Client) options() rueidis.ClientOption {
	o := rueidis.ClientOption{
		InitAddress: c.cfg.Addresses,
		Username:    c.cfg.Username,
		Password:    c.cfg.Password,
		SelectDB:    c.cfg.DB,
		TLSConfig:   c.cfg.TLS,
		ClientName:  c.cfg.ClientName,
		// KeepAlive is also how often rueidis pings a connection that rests.
		Dialer: net.Dialer{Timeout: dialTimeout, KeepAlive: 3 * time.Second},

		DisableCache: true,
		AlwaysRESP2:  c.cfg.RESP2,
		// Its retry of a bare XADD adds twice; ours repeats only our scripts. So
		// does an expiring connection, whatever DisableRetry says.
		DisableRetry: true,
		ConnLifetime: 0,
		// A context that ends must not cut a connection others share.
		AlwaysPipelining: true,
		ConnWriteTimeout: callTimeout,
		BlockingPoolSize: 64,
		ClusterOption: rueidis.ClusterOption{
			ShardsRefreshInterval: 2 * time.Second,
			MaxMovedRedirections:  5,
		},
	}
	if c.cfg.SentinelMaster != "" {
		o.InitAddress = c.cfg.SentinelAddresses
		o.Sentinel = rueidis.SentinelOption{
			MasterSet: c.cfg.SentinelMaster,
			Dialer:    o.Dialer,
			TLSConfig: c.cfg.TLS,
			// Without it a missed event leaves us with a demoted master for good.
			TopologyRefreshInterval: 2 * time.Second,
		}
	}
	o.ForceSingleClient = len(c.cfg.Addresses) == 1 && c.cfg.SentinelMaster == ""
	return o
}

// Addr says where Redis is, for people: no secrets in it.
func (c *Client) Addr() string {
	if c.cfg.SentinelMaster != "" {
		return fmt.Sprintf("redis master %s by sentinel %s", c.cfg.SentinelMaster, strings.Join(c.cfg.SentinelAddresses, ","))
	}
	return fmt.Sprintf("redis %s db %d", strings.Join(c.cfg.Addresses, ","), c.cfg.DB)
}

// errReplica is what a read-only replica is told by us rather than by itself.
var errReplica = &redisError{kind: kindReadonly, err: errors.New("the server is a read-only replica")}

var errTooFewReplicas = &redisError{kind: kindReplicas, err: errors.New("fewer replicas keep up than min-replicas-to-write asks for")}

// Ping asks whether the server is there and takes writes (INFO replication).
// The error matches [ErrUnavailable].
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := c.connection(ctx)
	if err != nil {
		return wrap("ping", err)
	}
	info, err := rdb.Do(ctx, rdb.B().Info().Section("replication").Build()).ToString()
	if err != nil {
		return wrap("ping", err)
	}
	s := replication(infoFields(info))
	if s.replica {
		return wrap("ping", errReplica)
	}
	if s.goodReplicas >= 0 && s.goodReplicas < minReplicas(rdb.Do(ctx, askMinReplicas(rdb))) {
		return wrap("ping", errTooFewReplicas)
	}
	return nil
}

// Close ends the connection. Calls after it fail.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.rdb != nil {
		c.rdb.Close()
	}
}

// connection returns the live client, dialling if there is none yet.
func (c *Client) connection(ctx context.Context) (rueidis.Client, error) {
	c.mu.Lock()
	if c.rdb != nil || c.closed {
		defer c.mu.Unlock()
		if c.closed {
			return nil, rueidis.ErrClosing
		}
		return c.rdb, nil
	}
	d := c.dial
	if d == nil || (!d.ended.IsZero() && time.Since(d.ended) > redialAfter) {
		d = &dial{done: make(chan struct{})}
		c.dial = d
		go c.connect(d)
	}
	c.mu.Unlock()

	select {
	case <-d.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.err != nil {
		return nil, d.err
	}
	return c.connection(ctx)
}

// open connects. One address may be that of a cluster's node: such a server says
// so, and the client for clusters finds the others.
func (c *Client) open() (rueidis.Client, error) {
	o := c.options()
	rdb, err := rueidis.NewClient(o)
	if err != nil || !o.ForceSingleClient {
		return rdb, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	info, err := rdb.Do(ctx, rdb.B().Info().Section("server").Build()).ToString()
	f := infoFields(info)
	if err != nil || (f["redis_mode"] != "cluster" && f["server_mode"] != "cluster") { // Valkey's word is the latter
		return rdb, nil // what ails it shows in the first call
	}
	rdb.Close()
	o.ForceSingleClient = false
	return rueidis.NewClient(o)
}

func (c *Client) connect(d *dial) {
	rdb, err := c.open()
	c.mu.Lock()
	defer c.mu.Unlock()
	d.err, d.ended = err, time.Now()
	if err == nil {
		c.rdb = rdb
		if c.closed {
			rdb.Close()
		}
	}
	close(d.done)
}
