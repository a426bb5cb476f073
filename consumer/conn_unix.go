//go:build unix

package consumer

import (
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ticketRead is how long a TLS connection's first messages are read for.
const ticketRead = 2 * time.Millisecond

// alive looks whether the partner has closed a connection that no call has used
// yet, without taking anything from it that a call could miss.
func (c *connection) alive() bool {
	if c == nil {
		return false
	}
	sock, ok := c.raw.(*net.TCPConn)
	if !ok {
		return true
	}
	raw, err := sock.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	var peeked error
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, peeked = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	switch {
	case err != nil:
		return false
	case peeked == nil && n > 0 && c.of.tls != nil:
		return c.onlyTickets()
	}
	return peeked == unix.EAGAIN // else it is closed, or the partner speaks first: it is done with us
}

// onlyTickets reads what came on a TLS connection before any call: session
// tickets, or the alert that it is closed. Tickets give no data, so the read
// ends with its deadline.
func (c *connection) onlyTickets() bool {
	if c.Conn.SetReadDeadline(time.Now().Add(ticketRead)) != nil {
		return false
	}
	var b [1]byte
	_, err := c.Conn.Read(b[:])
	return errors.Is(err, os.ErrDeadlineExceeded) && c.Conn.SetReadDeadline(time.Time{}) == nil
}
