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
)

// entrance is a door that knows who is in.
type entrance struct {
	door
	places chan struct{} // one token for each connection

	closeDoor func() error
	empty     chan struct{} // closed when nobody stands in the door any more
	closed    chan struct{} // closed by Close

	mu      sync.Mutex
	in      map[*guest]bool
	called  time.Time // when the last call was made
	closing bool      // the door is, once nobody stands in it
}

func newEntrance(d door, most int) *entrance {
	return &entrance{
		door: d, places: make(chan struct{}, most), closeDoor: sync.OnceValue(d.Close),
		empty: make(chan struct{}), closed: make(chan struct{}), in: map[*guest]bool{},
	}
}

// Accept implements [net.Listener]. Once the door lets nobody in any more, it waits
// for Close.
func (e *entrance) Accept() (net.Conn, error) {
	select {
	case e.places <- struct{}{}:
	case <-e.closed:
		return nil, net.ErrClosed
	}
	conn, err := e.Listener.Accept()
	if err == nil {
		return e.letIn(conn), nil
	}
	<-e.places
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		if !e.stays {
			_ = e.closeDoor()
		}
		close(e.empty)
	case !errors.Is(err, net.ErrClosed):
		return nil, err
	}
	<-e.closed
	return nil, net.ErrClosed
}

func (e *entrance) letIn(conn net.Conn) *guest {
	now := time.Now()
	g := &guest{Conn: conn, came: now, since: now, grace: patience}
	g.leave = sync.OnceFunc(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.in, g)
		<-e.places
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.in[g] = true
	if e.closing {
		e.setDeadline(lastSteps)
	}
	return g
}

// setDeadline ends Accept when for so long nobody came.
func (e *entrance) setDeadline(after time.Duration) {
	if l, ok := e.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = l.SetDeadline(time.Now().Add(after))
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
