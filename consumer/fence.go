package consumer

import (
	"context"
	"errors"
	"sync"
	"time"

	"orderq/internal/testhook"
)

// errFenced is why a call was cut when no beat had been confirmed for two
// thirds of a lease.
var errFenced = errors.New("cut short: this consumer could not show that it lives")

// fence keeps this process from calling while others may hold it dead. They
// wait for a whole lease; from two thirds of it on, counted from before the
// last confirmed beat was sent, no call is started and those running are cut.
type fence struct {
	clock clock
	limit time.Duration

	mu        sync.Mutex
	confirmed time.Duration // just before the last confirmed beat was sent
	calls     context.Context
	cut       context.CancelCauseFunc
	timer     *time.Timer
	parent    context.Context
}

// newFence counts from sent, just before the registration was sent. Calls end
// with parent, too.
func newFence(parent context.Context, c clock, lease, sent time.Duration) *fence {
	f := &fence{clock: c, limit: lease * 2 / 3, parent: parent, confirmed: sent}
	f.calls, f.cut = context.WithCancelCause(parent)
	f.timer = time.AfterFunc(sent+f.limit-c.now(), f.check)
	return f
}

// confirm takes note of a beat that was sent at the given moment and answered.
// An answer that comes too late cuts the calls first.
func (f *fence) confirm(sent time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cutIfDue()
	if sent <= f.confirmed {
		return
	}
	f.confirmed = sent
	if f.calls.Err() != nil {
		f.calls, f.cut = context.WithCancelCause(f.parent)
	}
	f.timer.Reset(sent + f.limit - f.clock.now())
}

// holds reports whether a call may start now.
func (f *fence) holds() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cutIfDue()
	return f.calls.Err() == nil
}

// context is what calls run under.
func (f *fence) context() context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// trip cuts all calls now, for good unless a beat is confirmed again.
func (f *fence) trip(cause error) {
	if testhook.NoFence.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut(cause)
}

func (f *fence) check() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cutIfDue()
}

func (f *fence) cutIfDue() {
	if f.clock.now() >= f.confirmed+f.limit && !testhook.NoFence.Load() {
		f.cut(errFenced)
	}
}

// stop ends the fence's timer. Calls are left alone.
func (f *fence) stop() { f.timer.Stop() }
