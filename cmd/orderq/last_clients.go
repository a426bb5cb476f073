package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"
)

// A server that net/http shuts down drops requests that it has not begun to answer,
// without a word, and resets the connections that the kernel has for it. So before
// that everybody gets an answer, and is told with it that the connection ends; and
// the door is closed when nobody stands in it.

const (
	// patience is how long a client that is in may take to begin its request.
	patience = time.Second
	// restAfter is the same for one that had an answer: a client that sends one
	// request after another begins sooner, and is then told that it was the last.
	restAfter = 250 * time.Millisecond
	// lastSteps is how long those who were let in by the kernel may still be on
	// their way: a round trip.
	lastSteps = 200 * time.Millisecond
	// glance is how often it is looked who is still in.
	glance = 10 * time.Millisecond
)

// lastCall makes every answer from now on the last one of its connection.
func (e *entrance) lastCall() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.called = time.Now()
}

func (e *entrance) wasCalled() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.called.IsZero()
}

// telling tells clients of the last call.
func (e *entrance) telling(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.wasCalled() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// stop ends the letting in at a door that stays: those who come later wait in the
// kernel for a successor. It waits for the last who was let in, whom nobody would see
// off if he came after that began.
func (e *entrance) stop(ctx context.Context) {
	e.mu.Lock()
	e.setDeadline(0)
	e.mu.Unlock()
	e.awaitEmpty(ctx)
}

// awaitEmpty reports whether nobody is let in any more. It does not wait for long: the
// house may be full, and Accept wait for a place.
func (e *entrance) awaitEmpty(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-e.empty:
		return true
	case <-ctx.Done():
		return false
	}
}

// finish lets in those who stand in the door and closes it behind them.
func (e *entrance) finish(ctx context.Context) {
	switch l := e.Listener.(type) {
	case *net.TCPListener:
		shutOut(l)
	case *net.UnixListener:
		l.SetUnlinkOnClose(false) // a successor may have its own there by then
		_ = os.Remove(l.Addr().String())
	}
	e.mu.Lock()
	e.closing = true
	e.setDeadline(lastSteps)
	e.mu.Unlock()
	if !e.awaitEmpty(ctx) { // people come and come, where nobody can be shut out
		_ = e.closeDoor()
		e.awaitEmpty(ctx)
	}
}

// seeOff returns when all who are in now have left: with their answer, or because
// they said nothing for too long. Those who speak HTTP/2 and rest are left to the
// server, which has a word for it.
func (e *entrance) seeOff(ctx context.Context) {
	now := time.Now()
	for e.left(now) > 0 && wait(ctx, glance) {
	}
}

// left counts those who came before.
func (e *entrance) left(before time.Time) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for g := range e.in {
		if g.isExpected(before, e.called) {
			n++
		}
	}
	return n
}

// isExpected reports whether the guest, if it came before, is still in. One that takes too long is hung up on.
func (g *guest) isExpected(before, called time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch silent := min(time.Since(g.since), time.Since(called)); {
	case g.came.After(before):
		return false
	case g.served, g.heard && !g.streams, silent < g.grace:
		return true
	case g.streams:
		return false
	}
	// A request that comes in this moment is served all the same, see Read. Once may
	// not do: the server sets deadlines, too.
	g.leaving = true
	_ = g.SetReadDeadline(time.Now())
	return true
}
