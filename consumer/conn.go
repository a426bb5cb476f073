package consumer

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// dialTimeout bounds connecting and the TLS handshake together.
	dialTimeout = 3 * time.Second
	// idleFor is how long a connection without calls is kept.
	idleFor = 90 * time.Second
)

// connections keeps one connection to the partner established ahead of the
// next call, so that a slot is never spent on dialling. Calls use kept-alive
// connections where there are any, and the spare one otherwise.
type connections struct {
	address string
	tls     *tls.Config // nil: plain
	dialer  net.Dialer

	mu    sync.Mutex
	spare *connection
	idle  map[*connection]bool
}

func newConnections(u *url.URL, config *tls.Config) *connections {
	c := &connections{address: u.Host, idle: map[*connection]bool{}}
	if u.Port() == "" {
		c.address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	if u.Scheme == "https" {
		c.tls = &tls.Config{}
		if config != nil {
			c.tls = config.Clone()
		}
		if c.tls.ServerName == "" {
			c.tls.ServerName = u.Hostname()
		}
	}
	return c
}

// transport is net/http's, connected through us. It speaks HTTP/1.1 only: on a
// connection shared by streams no first byte could be told from another.
func (c *connections) transport() *http.Transport {
	get := func(ctx context.Context, _, _ string) (net.Conn, error) { return c.get(ctx) }
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext: get, DialTLSContext: get, Protocols: protocols,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: idleFor,
		DisableCompression: true, ResponseHeaderTimeout: 0, // the call's context bounds it
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// prepare returns when a call can go out at once, or when connecting failed:
// then the call itself meets the error, and says so.
func (c *connections) prepare(ctx context.Context) {
	c.mu.Lock()
	ready := len(c.idle) > 0 || c.spare.alive()
	c.mu.Unlock()
	if ready {
		return
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spare != nil {
		c.spare.Conn.Close()
	}
	c.spare = conn
}

// get hands the spare connection to the transport, or dials.
func (c *connections) get(ctx context.Context) (net.Conn, error) {
	c.mu.Lock()
	spare := c.spare
	c.spare = nil
	c.mu.Unlock()
	if spare.alive() {
		return spare, nil
	}
	if spare != nil {
		spare.Conn.Close()
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (c *connections) dial(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := c.dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	conn := &connection{Conn: raw, raw: raw, of: c}
	if c.tls != nil {
		secure := tls.Client(raw, c.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, fmt.Errorf("tls handshake: %w", err)
		}
		conn.Conn = secure
	}
	return conn, nil
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spare != nil {
		c.spare.Conn.Close()
		c.spare = nil
	}
}

// connection lets the first byte of a call pass its gate.
type connection struct {
	net.Conn
	raw net.Conn // below TLS
	of  *connections

	mu    sync.Mutex
	gate  *gate
	armed bool // the next write is the first of a call
	wrote bool // that call has sent something
}

// begin is told that a call got this connection.
func (c *connection) begin(g *gate) {
	if c == nil {
		return
	}
	c.of.mu.Lock()
	delete(c.of.idle, c)
	c.of.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gate, c.armed, c.wrote = g, true, false
}

// rest is told that the transport keeps the connection for the next call. The
// transport reads on it meanwhile, and closes it when the partner does.
func (c *connection) rest() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.idle[c] = true
}

// sent reports whether anything of the call went out.
func (c *connection) sent() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote
}

func (c *connection) setWrote(wrote bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrote = wrote
}

// Write asks the gate before the first byte of a call, and tells it after.
func (c *connection) Write(p []byte) (int, error) {
	c.mu.Lock()
	g, first := c.gate, c.armed
	c.armed = false
	c.mu.Unlock()
	if !first {
		return c.Conn.Write(p)
	}
	if g != nil {
		if err := g.check(); err != nil {
			return 0, err
		}
	}
	c.setWrote(true) // until we know better: a write that is cut may have sent something
	n, err := c.Conn.Write(p)
	c.setWrote(n > 0)
	if g != nil && n > 0 {
		g.pass()
	}
	return n, err
}

// Close forgets the connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.idle, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
