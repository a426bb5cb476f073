package consumer

import (
	"context"
	"errors"
	"sync"
	"time"

	"orderq/internal/testhook"
	"orderq/streamutil"
)

// errTooLate is why a call was not started: its slot had passed, or this
// consumer was fenced. Nothing was sent.
var errTooLate = errors.New("not started: the slot had passed")

// gate stands before a call's first byte. It lets the call start only in time,
// neither early nor late, and keeps the moment it did.
type gate struct {
	clock clock
	fence *fence
	due   time.Duration // not before this moment
	late  time.Duration // from this moment on it is too late

	mu      sync.Mutex
	at      time.Duration
	open    bool // the call has started
	refused bool
	started chan struct{}
}

// newGate opens at the moment due, for as long as the grant is good that was
// asked for at the moment sent.
func newGate(c clock, f *fence, due, sent time.Duration) *gate {
	return &gate{clock: c, fence: f, due: due, late: sent + streamutil.Grace, started: make(chan struct{})}
}

// start is the earliest moment at which the call may yet begin.
func (g *gate) start() time.Duration {
	if g == nil {
		return systemClock().now()
	}
	return max(g.due, g.clock.now())
}

// check is asked just before the first byte goes out, and waits for its moment:
// by then everything else of the call is done.
func (g *gate) check() error {
	_ = g.clock.sleepUntil(context.Background(), min(g.due, g.late)) // a moment; nothing ends it
	if g.mayYetOpen() {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = true
	return errTooLate
}

// mayYetOpen reports whether it is not too late.
func (g *gate) mayYetOpen() bool {
	return g.fence.holds() && g.clock.now() <= g.late || testhook.NoFence.Load()
}

// pass notes that the first byte has gone out. Measured after it, the moment is
// never earlier than the start, and the next one is a full interval away.
func (g *gate) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open {
		return
	}
	g.open, g.at = true, g.clock.now()
	close(g.started)
}

// passed tells whether the call has started, and when.
func (g *gate) passed() (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.at, g.open
}

// wasRefused tells whether the call was kept from starting.
func (g *gate) wasRefused() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused && !g.open
}

type gateKey struct{}

func withGate(ctx context.Context, g *gate) context.Context {
	return context.WithValue(ctx, gateKey{}, g)
}

// gateOf returns the gate of a call, or nil for a call outside of a dispatcher.
func gateOf(ctx context.Context) *gate {
	g, _ := ctx.Value(gateKey{}).(*gate)
	return g
}
