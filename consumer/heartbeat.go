package consumer

import (
	"context"
	"time"
)

// beatsPerLease: with a beat every fifth of a lease, one that is lost does not
// fence us at two thirds.
const beatsPerLease = 5

// heartbeat moves this consumer's counter, and reads everybody's.
type heartbeat struct {
	*session
	recovery *recovery

	count int64
}

// Run beats until ctx ends, which is no error, or until the name is gone.
func (h *heartbeat) Run(ctx context.Context) error {
	every := h.cfg.Lease / beatsPerLease
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	defer h.turns.ended(loopHeartbeat)
	for {
		if err := h.beat(ctx, every); isGone(err) {
			return err
		}
		if !h.await(ctx, ticker.C) {
			return nil
		}
	}
}

// await returns when it is time for the next beat; false if ctx ended.
func (h *heartbeat) await(ctx context.Context, due <-chan time.Time) bool {
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	for {
		h.turns.turned(loopHeartbeat)
		select {
		case <-due:
			return true
		case <-h.trouble.news: // for those who look
			return true
		case <-turn.C:
		case <-ctx.Done():
			return false
		}
	}
}

// beat sends one. Its age counts from before it was sent, and the fence judges
// it before anything else of the answer is looked at.
func (h *heartbeat) beat(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	h.count++
	sent := h.clock.now()
	pulse, err := h.queue.Heartbeat(ctx, h.name, h.count, h.pace(), h.trouble.present())
	read := h.clock.now()
	if err != nil {
		h.recovery.lost()
		if !isGone(err) && ctx.Err() != context.Canceled {
			h.trouble.met("beat", err)
		}
		return err
	}
	h.trouble.over("beat")
	h.fence.confirm(sent)
	h.saw(pulse.Slot, read)
	h.recovery.observe(pulse.Beats, read)
	if pulse.Due > 0 {
		h.bell.ring()
	}
	return nil
}
