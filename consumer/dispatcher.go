package consumer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"orderq/metrics"
	"orderq/streamutil"
)

// maxSleep bounds every sleep while work may be waiting, so that what an
// operator does takes effect within it.
const maxSleep = time.Second

// askAhead is the least time before a slot is due at which we ask for it.
const askAhead = 2 * time.Millisecond

// prepareAhead is how long before a slot is due a connection is made ready: not
// much longer than that takes, since partners close connections that rest.
const prepareAhead = time.Second

// errSlotLost is trouble that a person made: slots only rise within an epoch.
var errSlotLost = errors.New("redis tells of an older slot than it did before: restart this consumer")

// dispatcher is the main path: wait for the turn, take, send. What a call meant
// is settled by the call itself, so that a slow partner does not hold up the
// next slot.
type dispatcher struct {
	*session

	k         int64         // number of the last take
	unknown   bool          // whether its result is not known
	roundTrip time.Duration // of a take, smoothed
}

// Run dispatches until ctx ends, which is no error, or until this consumer's
// name is gone.
func (d *dispatcher) Run(ctx context.Context) error {
	defer d.turns.ended(loopDispatcher)
	for wait := redisBackoff(); ; {
		d.turns.turned(loopDispatcher)
		err := d.dispatch(ctx)
		switch {
		case ctx.Err() != nil:
			d.lastAccounts()
			return nil // the stop is no error
		case isGone(err):
			return err
		case err != nil:
			d.trouble.met("take", err)
			_ = d.clock.sleep(ctx, wait.next()) // ended: seen above, next time round
		default:
			d.trouble.over("take")
			wait.reset()
		}
	}
}

// dispatch gets one slot and starts the call it allows, or waits for what keeps
// it from that.
func (d *dispatcher) dispatch(ctx context.Context) error {
	if d.unknown {
		if err := d.settleAccounts(ctx); err != nil {
			return err
		}
	}
	if _, err := d.awaitTurn(ctx, prepareAhead); err != nil {
		return err
	}
	d.prepare(ctx, d.pacer.turn().batch())
	t, err := d.awaitTurn(ctx, d.ahead())
	if err != nil {
		return err
	}
	taken, sent, err := d.take(ctx, t)
	if err != nil {
		return err
	}
	d.blocked.set(byTake, reason(taken))
	switch taken.Verdict {
	case streamutil.VerdictTaken:
		d.start(ctx, t, taken, sent)
	case streamutil.VerdictEmpty:
		return d.bell.wait(ctx, taken)
	case streamutil.VerdictClosed:
		return d.openEpoch(ctx)
	case streamutil.VerdictBlocked:
		d.sitOut(ctx, taken)
	case streamutil.VerdictTold, streamutil.VerdictSettled:
		// The pacer knows the slot now, unless Redis went back behind it.
		if now := d.pacer.turn(); now.epoch == t.epoch && now.slot == t.slot {
			return errSlotLost
		}
	}
	return nil
}

// prepare has the next calls ready before their slots are asked for.
func (d *dispatcher) prepare(ctx context.Context, batch int) {
	if p, ok := d.sender.(preparer); ok {
		p.prepare(ctx, max(min(batch, d.queue.MaxInFlight()-d.holdings.count()), 1))
	}
}

// awaitTurn sleeps until so long ahead of the moment at which the next slot is
// due. Whatever the heartbeat reads of the slot meanwhile counts at once.
func (d *dispatcher) awaitTurn(ctx context.Context, ahead time.Duration) (turn, error) {
	for {
		d.turns.turned(loopDispatcher)
		t := d.pacer.turn()
		rest := t.askAt - ahead - d.clock.now()
		if rest <= 0 {
			return t, ctx.Err()
		}
		if rest > maxSleep+prepareAhead {
			// What an operator does meanwhile must not wait for this turn.
			if err := d.clock.sleep(ctx, maxSleep); err != nil {
				return t, err
			}
			if err := d.settleAccounts(ctx); err != nil {
				return t, err
			}
			continue
		}
		wake := time.NewTimer(rest)
		select {
		case <-wake.C:
		case <-d.pacer.changed:
		case <-ctx.Done():
		}
		wake.Stop()
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
	}
}

// ahead is how long before a slot is due we ask for it: the round trip is over
// then when the call may start. It stays well below Grace.
func (d *dispatcher) ahead() time.Duration {
	return min(askAhead+2*d.roundTrip, streamutil.Grace/2)
}

// take asks for the orders of this turn's slots. It returns the moment just
// before it was sent: the grant is good for Grace after that.
func (d *dispatcher) take(ctx context.Context, t turn) (streamutil.Taken, time.Duration, error) {
	d.k++
	sent := d.clock.now()
	// The stop must not cut a take: it would leave in doubt what was handed out.
	slow := time.AfterFunc(maxSleep, func() { d.blocked.set(byTake, metrics.BlockedRedis) })
	taken, err := d.queue.Take(context.WithoutCancel(ctx), streamutil.Take{
		Consumer: d.name, K: d.k, N: t.batch(), Holding: d.holdings.entries(), Epoch: t.epoch, Slot: t.slot,
	})
	slow.Stop()
	read := d.clock.now()
	d.unknown = err != nil
	d.roundTrip += (read - sent - d.roundTrip) / 8
	switch {
	case err != nil:
	case taken.Verdict == streamutil.VerdictTaken:
		d.pacer.granted(taken.Slot)
		d.blocked.set(bySlot, taken.Slot.Blocked)
	default:
		d.saw(taken.Slot, read)
	}
	d.reportAside(taken.Aside)
	return taken, sent, err
}

// settleAccounts follows a take whose result is unknown: what it may have
// handed out becomes due, and should it come late it is stale.
func (d *dispatcher) settleAccounts(ctx context.Context) error {
	d.k++
	taken, err := d.queue.Take(ctx, streamutil.Take{Consumer: d.name, K: d.k, Holding: d.holdings.entries()})
	if err != nil {
		return err
	}
	d.unknown = false
	d.blocked.set(byTake, "") // what the last take was told is past
	d.reportAside(taken.Aside)
	d.saw(taken.Slot, d.clock.now())
	return nil
}

// lastAccounts hands back what a take may have handed out that nobody will
// start any more: the stop came before its result was known.
func (d *dispatcher) lastAccounts() {
	if !d.unknown {
		return
	}
	ctx, cancel := context.WithTimeout(d.work, time.Second)
	defer cancel()
	if err := d.settleAccounts(ctx); err != nil {
		d.trouble.count(err) // it becomes due when others have watched our name for a lease
	}
}

// tellStarted lets the next slot follow an interval after this start; untold it
// costs Grace more. Nobody waits for it.
func (d *dispatcher) tellStarted(s streamutil.Slot) {
	told, err := d.queue.Started(d.work, s.Epoch, s.Number)
	if err != nil {
		d.trouble.count(err)
		return
	}
	d.saw(told, d.clock.now())
}

// openEpoch opens an epoch that was closed for longer than any call of the one
// before can last, and else waits.
func (d *dispatcher) openEpoch(ctx context.Context) error {
	t := d.pacer.turn()
	rest := t.epochAt + streamutil.Grace + d.cfg.CallTimeout + time.Second - d.clock.now()
	if rest > 0 {
		return d.clock.sleep(ctx, min(rest, maxSleep))
	}
	slot, err := d.queue.Open(ctx, t.epoch)
	if err != nil {
		return err
	}
	d.log.Info("sending goes on: no forgotten call can be running any more")
	d.saw(slot, d.clock.now())
	return nil
}

// sitOut waits while nothing may be sent.
func (d *dispatcher) sitOut(ctx context.Context, taken streamutil.Taken) {
	wait := maxSleep
	switch {
	case taken.Reason == "max_in_flight":
		wait = min(max(taken.Slot.Interval/10, 5*time.Millisecond), maxSleep/4)
	case taken.Wait >= 0:
		wait = min(taken.Wait, maxSleep)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-d.holdings.freed:
	case <-ctx.Done():
	}
}

// reason says why a take found that nothing may be sent; empty if it may.
func reason(taken streamutil.Taken) string {
	switch {
	case taken.Verdict == streamutil.VerdictClosed:
		return metrics.BlockedEpoch
	case taken.Verdict == streamutil.VerdictEmpty && taken.Wait > 0:
		return metrics.BlockedParked
	}
	return taken.Reason
}

// reportAside logs what a take came upon that is no order, or gone.
func (d *dispatcher) reportAside(list []streamutil.Aside) {
	for _, a := range list {
		fields := []zap.Field{zap.Stringer("entry_id", a.Entry), zap.String("order_id", a.OrderID), zap.String("reason", a.Reason)}
		if a.Reason == streamutil.ReasonVanished {
			d.log.Warn("somebody deleted an entry by hand; its order will not be sent", fields...)
			continue
		}
		d.metrics.Finished(streamutil.Dead)
		d.log.Error("an entry that is no order of ours is dead; a person must look at it", fields...)
	}
}

func logOrder(o streamutil.Order) []zap.Field {
	fields := []zap.Field{
		zap.String("order_id", o.ID), zap.Stringer("entry_id", o.Entry), zap.Int("attempt", o.Attempt),
	}
	if id := metrics.TraceID(o.TraceParent); id != "" {
		fields = append(fields, zap.String("trace_id", id))
	}
	return fields
}
