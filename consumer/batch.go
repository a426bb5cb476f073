package consumer

import (
	"context"
	"time"

	"orderq/metrics"
	"orderq/streamutil"
)

// prelude is what a call may take before its first byte can go out, and a timer
// be late.
const prelude = 1500 * time.Microsecond

// start begins the calls for what one take handed out, and returns once the last
// has begun, or will not. Each start is an interval after the real one before,
// and at most Grace behind its plan; what comes too late is handed back.
func (d *dispatcher) start(ctx context.Context, t turn, taken streamutil.Taken, sent time.Duration) {
	c := claim{name: d.name, k: d.k}
	fresh := d.hold(taken.Orders, c)
	if taken.Slot.Interval <= 0 {
		d.startAtOnce(fresh, sent)
		return
	}
	at, last, used, rest := t.askAt, time.Duration(0), 0, fresh
	for i, o := range fresh {
		g := newGate(d.clock, d.fence, at, sent+time.Duration(i)*taken.Slot.Interval)
		// The gate waits for the exact moment, when the call stands before it.
		if d.clock.sleep(ctx, at-prelude-d.clock.now()) != nil || !g.mayYetOpen() {
			break
		}
		rest = fresh[i+1:]
		begun, ok := d.startCall(o, g)
		if !ok {
			break // the call has handed its order back
		}
		used, last, at = used+1, begun, begun+taken.Slot.Interval
	}
	d.count(used, len(fresh)-used)
	d.handBack(rest, c)
	if used > 0 {
		d.pacer.start(taken.Slot, last)
		d.calls.Go(func() { d.tellStarted(taken.Slot) })
	}
}

// hold takes note of what was handed out. It leaves out what an older call of
// ours is still sending: that call settles it.
func (d *dispatcher) hold(orders []streamutil.Order, c claim) []streamutil.Order {
	fresh := orders[:0]
	for _, o := range orders {
		if !d.holdings.add(o.Entry, c) {
			fresh = append(fresh, o)
		}
	}
	return fresh
}

// startAtOnce begins calls without a pace.
func (d *dispatcher) startAtOnce(orders []streamutil.Order, sent time.Duration) {
	for _, o := range orders {
		g := newGate(d.clock, d.fence, 0, sent)
		d.calls.Go(func() { d.call(o, g) })
	}
}

// startCall begins one call, and tells when it really began; false if it did not.
func (d *dispatcher) startCall(o streamutil.Order, g *gate) (time.Duration, bool) {
	ended := make(chan struct{})
	d.calls.Go(func() {
		defer close(ended)
		d.call(o, g)
	})
	select {
	case <-g.started:
	case <-ended:
	}
	return g.passed()
}

// handBack returns what will not be started, before the next take: that would
// find later orders first.
func (d *dispatcher) handBack(orders []streamutil.Order, c claim) {
	if len(orders) > 0 {
		d.giveBack(c, orders...)
	}
}

func (d *dispatcher) count(used, lost int) {
	for range used {
		d.metrics.Slot(metrics.SlotUsed)
	}
	for range lost {
		d.metrics.Slot(metrics.SlotLost)
	}
}
