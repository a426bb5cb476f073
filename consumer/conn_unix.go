//go:build unix

package consumer

import (
	"crypto/tls"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// ticketRead is how long a TLS connection is read on which something came.
const ticketRead = 2 * time.Millisecond

// alive looks whether a call may use a connection that rests: the partner has
// neither closed it nor said anything unasked, which the call would take for
// its answer.
func (c *connection) alive() bool {
	tcp, ok := c.raw.(*net.TCPConn)
	if !ok {
		return c.silent(ticketRead)
	}
	sock, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	var peeked error
	err = sock.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, peeked = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	quiet := peeked == unix.EAGAIN
	if err != nil || (!quiet && n <= 0) {
		return false
	}
	if _, secure := c.Conn.(*tls.Conn); !secure {
		return quiet
	}
	if quiet {
		return c.silent(0) // TLS may hold more than it gave the last call
	}
	return c.silent(ticketRead)
}
