package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// A server that net/http shuts down drops requests that it has not begun to answer,
// without a word. So before that it lets nobody in any more and answers all who are in.

// gate is a listener that can stop letting clients in before it is closed.
type gate struct {
	net.Listener

	once   sync.Once
	closed chan struct{}
}

func newGate(l net.Listener) *gate { return &gate{Listener: l, closed: make(chan struct{})} }

// stop ends the letting in. Those who come later wait in the kernel: for a
// successor, if the listener is not ours alone.
func (g *gate) stop() {
	if l, ok := g.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = l.SetDeadline(time.Now()) // at worst one more comes in
	}
}

// Accept implements [net.Listener]. After stop it waits for Close.
func (g *gate) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		<-g.closed
		return nil, net.ErrClosed
	}
	return c, err
}

// Close implements [net.Listener].
func (g *gate) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.Listener.Close()
}

const (
	// patience is how long a client that is in may take to begin its request.
	patience = time.Second
	// knownAfter is how long after the last one began the server surely knows.
	knownAfter = 20 * time.Millisecond
)

// newcomers are the connections on which no request has begun yet.
type newcomers struct {
	mu  sync.Mutex
	all map[net.Conn]bool
}

// note is for [http.Server.ConnState].
func (n *newcomers) note(c net.Conn, s http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s == http.StateNew {
		n.all[c] = true
		return
	}
	delete(n.all, c)
}

func (n *newcomers) none() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.all) == 0
}

// await returns when every connection has had its first request, or its time.
func (n *newcomers) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for wait(ctx, knownAfter) {
		if n.none() {
			wait(ctx, knownAfter)
			return
		}
	}
}
