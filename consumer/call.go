package consumer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"orderq/streamutil"
)

// call makes one call for an order and settles it.
func (s *session) call(o streamutil.Order, g *gate) {
	ctx, cancel := context.WithTimeout(withGate(s.fence.context(), g), s.cfg.CallTimeout)
	defer cancel()
	sender := s.sender
	if _, exact := sender.(startMarker); !exact {
		sender = gated{sender, g}
	}
	if o.Attempt == 1 {
		s.metrics.Waited(time.Since(o.Accepted))
	}
	began := s.clock.now()
	r := send(ctx, s.work, sender, o)
	took := s.clock.now() - began

	_, begun := g.passed()
	// A call that is cut while its first byte is on its way has not passed the
	// gate, and may have left: it is uncertain, and no order to hand back.
	if !begun && r.Outcome != streamutil.OutcomeUncertain && (g.wasRefused() || isCut(ctx)) {
		s.giveBack(o)
		return
	}
	// A call that could not connect uses its slot all the same: else a partner's
	// outage would touch the whole backlog at once.
	g.pass()
	s.metrics.Attempt(r.Outcome, took)
	s.reach.saw(r)
	s.settle(o, r, took)
}

// isCut reports whether a call's context ended for our own reasons rather than
// at the call's timeout.
func isCut(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

// settle tells the queue what the call meant. Should the order have been handed
// to this process again meanwhile, it is settled by that claim too.
func (s *session) settle(o streamutil.Order, r Result, took time.Duration) {
	for {
		c := s.holdings.claim(o.Entry)
		settled, err := s.settler.settle(s.work, streamutil.Settlement{
			Consumer: c.name, K: c.k, Entry: o.Entry, OrderID: o.ID,
			Outcome: r.Outcome, Delay: s.delay(r.Outcome, o.Attempt),
			Status: r.Status, Answer: r.Answer, BuryUncertain: s.cfg.OnUncertain == UncertainDead,
		})
		if err != nil {
			s.log.Warn("stopping before an outcome was told; the order will be sent again",
				append(logOrder(o), zap.String("outcome", string(r.Outcome)))...)
			return
		}
		if s.holdings.drop(o.Entry, c) {
			s.report(o, r, settled, took)
			return
		}
	}
}

// delay is how long the order waits before its next attempt. After an uncertain
// one the partner may still be at work on it.
func (s *session) delay(outcome streamutil.Outcome, attempt int) time.Duration {
	d := retryDelay(attempt)
	if outcome == streamutil.OutcomeUncertain {
		d = max(d, s.cfg.CallTimeout)
	}
	return d
}

// giveBack hands back an order that was taken and not started, by every claim
// under which it was handed to us.
func (s *session) giveBack(o streamutil.Order) {
	for {
		c := s.holdings.claim(o.Entry)
		if err := s.settler.release(s.work, c, o.Entry); err != nil {
			return // stopping: it becomes due when others have watched our name for a lease
		}
		if s.holdings.drop(o.Entry, c) {
			s.log.Debug("order handed back, not started", logOrder(o)...)
			return
		}
	}
}

// report logs one line for an order at its final state; every attempt at debug.
func (s *session) report(o streamutil.Order, r Result, settled streamutil.Settled, took time.Duration) {
	fields := append(logOrder(o),
		zap.String("outcome", string(r.Outcome)), zap.Int("http_status", r.Status),
		zap.Duration("duration", took), zap.Error(r.Err))
	switch {
	case settled.Stray:
		s.log.Warn("an outcome came too late; the order is another consumer's now", fields...)
	case settled.State == streamutil.Delivered:
		s.metrics.Finished(settled.State)
		s.log.Info("order delivered", fields...)
	case settled.State == streamutil.Dead:
		s.metrics.Finished(settled.State)
		s.log.Error("order is dead; a person must look at it", fields...)
	default:
		s.log.Debug("order parked for another attempt", fields...)
	}
}
