package main

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// entrance is a door that knows who is in, and lets no address take all places.
type entrance struct {
	door
	log    *zap.Logger
	places chan struct{} // one token for each connection
	share  int           // how many of them an address can have

	closeDoor func() error
	leftAlone func()        // closes empty
	empty     chan struct{} // closed when nobody is let in any more
	closed    chan struct{} // closed by Close

	mu      sync.Mutex
	in      map[*guest]bool
	from    map[string]int // how many, by address
	called  time.Time      // when the last call was made
	until   time.Time      // when Accept ends unless somebody comes
	closing bool           // the door is, once nobody stands in it
}

// newEntrance lets in at most so many at once; an address can have three quarters of
// the places.
func newEntrance(d door, most int, log *zap.Logger) *entrance {
	e := &entrance{
		door: d, log: log, places: make(chan struct{}, most), share: max(most-most/4, 1),
		closeDoor: sync.OnceValue(d.Close), empty: make(chan struct{}), closed: make(chan struct{}),
		in: map[*guest]bool{}, from: map[string]int{},
	}
	e.leftAlone = sync.OnceFunc(func() { close(e.empty) })
	return e
}

// Accept implements [net.Listener]. Once the door lets nobody in any more, it waits
// for Close.
func (e *entrance) Accept() (net.Conn, error) {
	for e.awaitPlace() {
		conn, err := e.Listener.Accept()
		if err == nil {
			if g := e.letIn(conn); g != nil {
				return g, nil
			}
			_ = conn.Close()
			continue
		}
		<-e.places
		if err = e.ended(err); err != nil {
			return nil, err
		}
	}
	return nil, net.ErrClosed
}

// awaitPlace reports whether there is one; not, after Close.
func (e *entrance) awaitPlace() bool {
	select {
	case e.places <- struct{}{}:
		return true
	default:
	}
	e.log.Warn("as many clients are connected as may be; further ones wait", zap.Int("connections", cap(e.places)))
	select {
	case e.places <- struct{}{}:
		return true
	case <-e.closed:
		return false
	}
}

// ended gives the error of a door that failed. If it was closed, or nobody comes any
// more, it waits for Close.
func (e *entrance) ended(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		if e.overslept() {
			return nil
		}
		if !e.stays {
			_ = e.closeDoor()
		}
	case !errors.Is(err, net.ErrClosed):
		return err
	}
	e.leftAlone()
	<-e.closed
	return net.ErrClosed
}

// letIn gives nil if the client's address has its share.
func (e *entrance) letIn(conn net.Conn) *guest {
	now, client := time.Now(), clientOf(conn.RemoteAddr())
	g := &guest{Conn: conn, came: now, since: now, grace: patience}
	g.leave = sync.OnceFunc(func() { e.letOut(g, client) })
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		e.setDeadline(lastSteps)
	}
	if client != "" && e.from[client] == e.share {
		<-e.places
		e.log.Warn("an address has its share of the connections; a further one was closed",
			zap.String("client", client), zap.Int("connections", e.share))
		return nil
	}
	e.from[client]++
	e.in[g] = true
	return g
}

func (e *entrance) letOut(g *guest, client string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.in, g)
	if e.from[client]--; e.from[client] == 0 {
		delete(e.from, client)
	}
	<-e.places
}

// clientOf gives what counts as one client: an IP address, or the 64 bits of an IPv6
// network that one household or host has to itself. A socket in the file system has
// no others to leave room for: "".
func clientOf(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return ""
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, _ := ip.Prefix(64) // an IPv6 address has so many
	return network.String()
}

// overslept reports whether this process was held up until long after the deadline:
// who came meanwhile is looked for once more, for Accept does not look behind it.
func (e *entrance) overslept() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stays || time.Since(e.until) < lastSteps/4 {
		return false
	}
	e.setDeadline(lastSteps)
	return true
}

// setDeadline ends Accept when for so long nobody came. The caller has the lock.
func (e *entrance) setDeadline(after time.Duration) {
	e.until = time.Now().Add(after)
	if l, ok := e.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = l.SetDeadline(e.until)
	}
}

// Close implements [net.Listener]. It is for the server alone, which calls it once.
func (e *entrance) Close() error {
	close(e.closed)
	return e.closeDoor()
}

// guest is a client's connection.
type guest struct {
	net.Conn
	leave func()

	came time.Time

	mu      sync.Mutex
	since   time.Time     // when it came, or got its last answer
	grace   time.Duration // how long it may then be silent after the last call
	heard   bool          // it has sent something since
	served  bool          // its request is being answered
	streams bool          // it speaks HTTP/2: what it sends need be no request
	leaving bool          // its time to send something is over
}

// Read implements [net.Conn].
func (g *guest) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	if n == 0 && g.leaving && errors.Is(err, os.ErrDeadlineExceeded) {
		if late := g.lastWord(p); late > 0 {
			n, err = late, nil
		}
	}
	if n == 0 {
		return n, err
	}
	g.heard = true
	if g.leaving {
		g.leaving = false
		_ = g.SetReadDeadline(time.Now().Add(patience))
	}
	return n, err
}

// lastWord reads what came in the moment in which the deadline passed.
func (g *guest) lastWord(p []byte) (n int) {
	conn, ok := g.Conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { n, _ = syscall.Read(int(fd), p) })
	return n
}

// Close implements [net.Conn].
func (g *guest) Close() error {
	defer g.leave()
	return g.Conn.Close()
}

// noteState is for [http.Server.ConnState].
func noteState(c net.Conn, s http.ConnState) {
	streams := false
	if t, ok := c.(*tls.Conn); ok {
		streams = s != http.StateNew && t.ConnectionState().NegotiatedProtocol == "h2"
		c = t.NetConn()
	}
	g, ok := c.(*guest)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams, g.served = streams, s == http.StateActive
	if s == http.StateIdle {
		g.since, g.grace, g.heard = time.Now(), restAfter, false
	}
}
