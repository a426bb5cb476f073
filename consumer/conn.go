package consumer

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// idleFor is how long a connection without calls is kept.
	idleFor = 90 * time.Second
	// maxReady bounds how many of them are kept.
	maxReady = 64
)

// connections keeps connections to the partner established ahead of the next
// calls, so that a slot is never spent on dialling. One that has served a call
// well is kept for another.
type connections struct {
	address string
	tls     *tls.Config // nil: plain
	dialer  net.Dialer

	mu     sync.Mutex
	ready  []*connection // the one used last at the end
	closed bool
}

func newConnections(u *url.URL, config *tls.Config) *connections {
	c := &connections{address: u.Host}
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

// prepare returns when n calls can go out at once, or as many as are ever kept
// ready, or when connecting failed: then the call itself meets the error, and
// says so.
func (c *connections) prepare(ctx context.Context, n int) {
	missing := min(n, maxReady) - c.weed()
	dials, ctx := errgroup.WithContext(ctx)
	for range missing {
		dials.Go(func() error {
			conn, err := c.dial(ctx)
			if err == nil {
				c.put(conn)
			}
			return err
		})
	}
	_ = dials.Wait()
}

// weed drops connections that the partner has closed, and tells how many are
// left.
func (c *connections) weed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = slices.DeleteFunc(c.ready, func(conn *connection) bool {
		dead := !conn.alive()
		if dead {
			conn.end()
		}
		return dead
	})
	return len(c.ready)
}

// get gives a connection that nothing was said on since its last call, or dials.
func (c *connections) get(ctx context.Context) (*connection, error) {
	for {
		conn := c.pop()
		if conn == nil {
			return c.dial(ctx)
		}
		if conn.alive() {
			return conn, nil
		}
		conn.end()
	}
}

// pop takes out the connection used last; nil without one.
func (c *connections) pop() *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.ready) - 1
	if last < 0 {
		return nil
	}
	conn := c.ready[last]
	c.ready = c.ready[:last]
	conn.expiry.Stop()
	return conn
}

// put keeps a connection for a while, if it can serve another call.
func (c *connections) put(conn *connection) {
	if conn.spent {
		conn.raw.Close() // without the farewell of TLS, for which a full line has no room
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.ready) >= maxReady {
		conn.Conn.Close()
		return
	}
	c.ready = append(c.ready, conn)
	conn.expiry = time.AfterFunc(idleFor, func() { c.drop(conn) })
}

// drop closes a connection that was not used for long.
func (c *connections) drop(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.ready, conn); i >= 0 {
		c.ready = slices.Delete(c.ready, i, i+1)
		conn.end()
	}
}

// close ends what waits for calls now, and what a call gives back later.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, conn := range c.ready {
		conn.end()
	}
	c.ready = nil
}
