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
		s.giveBack(s.holdings.claim(o.Entry), o)
		return
	}
	// A call that could not connect uses its slot all the same: else a partner's
	// outage would touch the whole backlog at once.
	g.pass()
	s.metrics.Attempt(r.Outcome, took, o.TraceParent)
	s.settle(o, r, took, isCut(ctx))
}

// isCut reports whether a call's context ended for our own reasons rather than
// at the call's timeout.
func isCut(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

// settle tells the queue what the call meant. Should the order have been handed
// to this process again meanwhile, it is settled by that claim too.
// With cut we ended it ourselves: it speaks against nobody.
func (s *session) settle(o streamutil.Order, r Result, took time.Duration, cut bool) {
	for {
		c := s.holdings.claim(o.Entry)
		settled, err := s.settler.settle(s.work, streamutil.Settlement{
			Consumer: c.name, K: c.k, Entry: o.Entry, OrderID: o.ID,
			Outcome: r.Outcome, Delay: retryDelay(o.Attempt), RetryAfter: r.RetryAfter,
			Status: r.Status, Answer: r.Answer, Cut: cut, Policy: s.policy(s.cfg.CallTimeout),
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

// giveBack hands back orders that were taken and not started, by the claim under
// which they were handed to us, and should that have changed by the later one.
func (s *session) giveBack(c claim, orders ...streamutil.Order) {
	ids := make([]streamutil.EntryID, 0, len(orders))
	for _, o := range orders {
		ids = append(ids, o.Entry)
	}
	if err := s.settler.release(s.work, c, ids...); err != nil {
		return // stopping: they become due when others have watched our name for a lease
	}
	for _, o := range orders {
		if !s.holdings.drop(o.Entry, c) {
			s.giveBack(s.holdings.claim(o.Entry), o)
			continue
		}
		s.log.Debug("order handed back, not started", logOrder(o)...)
	}
}

// report logs one line for an order at its final state; every attempt at debug.
func (s *session) report(o streamutil.Order, r Result, settled streamutil.Settled, took time.Duration) {
	fields := append(logOrder(o),
		zap.String("outcome", string(r.Outcome)), zap.Int("http_status", r.Status),
		zap.Duration("duration", took), zap.Error(r.Err))
	s.reportEffect(r, settled)
	switch {
	case settled.Stray:
		s.log.Warn("an outcome came too late; the order is another consumer's now", fields...)
	case settled.State == streamutil.Delivered:
		s.metrics.Finished(settled.State)
		s.metrics.EndToEnd(time.Since(o.Accepted))
		s.log.Info("order delivered", fields...)
	case settled.State == streamutil.Dead:
		s.metrics.Finished(settled.State)
		s.metrics.EndToEnd(time.Since(o.Accepted))
		s.log.Error("order is dead; a person must look at it", fields...)
	case settled.State == streamutil.Cancelled:
		s.metrics.Finished(settled.State)
		s.log.Warn("order cancelled: somebody deleted its entry during the call", fields...)
	default:
		s.log.Debug("order parked for another attempt", fields...)
	}
}

// reportEffect logs what an outcome did to the queue as a whole. Of all
// processes one says it.
func (s *session) reportEffect(r Result, settled streamutil.Settled) {
	fields := []zap.Field{
		zap.String("outcome", string(r.Outcome)), zap.Int("http_status", r.Status), zap.Error(r.Err),
		zap.Duration("wait", settled.For),
	}
	switch settled.Effect {
	case streamutil.EffectHold:
		s.log.Warn("the partner asks for fewer calls; nobody sends for a while", fields...)
	case streamutil.EffectOpen:
		s.log.Warn("nobody gets through to the partner; after a wait one order is tried", fields...)
	case streamutil.EffectClosed:
		s.log.Info("an order got through to the partner again; sending goes on")
	case streamutil.EffectCredentials:
		s.log.Error("the partner refuses our credentials; the queue is paused until they are right and somebody runs: orderq resume", fields...)
	}
}
