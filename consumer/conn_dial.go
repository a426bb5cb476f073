package consumer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// dialTimeout bounds connecting and the TLS handshake together.
const dialTimeout = 3 * time.Second

var (
	errNoConnection = fmt.Errorf("the partner did not answer within %v", dialTimeout)
	errNoTLS        = errors.New("the partner does not speak TLS on this port")
)

func (c *connections) dial(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, errNoConnection)
	defer cancel()
	raw, err := c.dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if c.tls == nil {
		return newConnection(raw, raw), nil
	}
	secure := tls.Client(raw, c.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("tls handshake: %w", explainHandshake(ctx, err))
	}
	return newConnection(secure, raw), nil
}

// explainHandshake words for people what Go's TLS does not.
func explainHandshake(ctx context.Context, err error) error {
	_, garbage := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case garbage:
		return errNoTLS
	case ctx.Err() != nil:
		return endOf(ctx)
	case errors.Is(err, io.EOF):
		return errClosed
	}
	return err
}

// connection is one to the partner. One call at a time uses it.
type connection struct {
	net.Conn // TLS, where there is TLS

	raw    net.Conn // below TLS
	left   *io.LimitedReader
	in     *bufio.Reader // over left, over Conn
	expiry *time.Timer   // while it is ready
	spent  bool          // no further call may use it
}

func newConnection(conn, raw net.Conn) *connection {
	left := &io.LimitedReader{R: conn}
	return &connection{Conn: conn, raw: raw, left: left, in: bufio.NewReader(left)}
}

func (c *connection) end() {
	c.expiry.Stop()
	c.Conn.Close()
}

// silent reports whether nothing comes within wait but what TLS keeps to
// itself, such as session tickets: no data, no end, no alert.
func (c *connection) silent(wait time.Duration) bool {
	if c.Conn.SetReadDeadline(time.Now().Add(wait)) != nil {
		return false
	}
	var b [1]byte
	_, err := c.Conn.Read(b[:])
	return errors.Is(err, os.ErrDeadlineExceeded) && c.Conn.SetReadDeadline(time.Time{}) == nil
}
