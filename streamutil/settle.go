package streamutil

import (
	"context"
	"time"
)

// maxAnswer is how much of a partner's answer a record keeps, in bytes.
const maxAnswer = 2048

// Policy is what follows from outcomes. The zero value of a field stands for
// its default.
type Policy struct {
	// MaxStrikes is how many attempts that speak against an order itself make
	// it a dead letter. Default 8.
	MaxStrikes int
	// BuryUncertain makes an uncertain attempt a dead letter.
	BuryUncertain bool
	// Quiet is how long an uncertain order is left alone: the partner may still
	// be at work on it.
	Quiet time.Duration
	// MaxHold bounds how long the partner may make the queue wait. Default 1 h.
	MaxHold time.Duration
}

func (p Policy) withDefaults() Policy {
	if p.MaxStrikes <= 0 {
		p.MaxStrikes = 8
	}
	if p.MaxHold <= 0 {
		p.MaxHold = time.Hour
	}
	return p
}

func (p Policy) uncertain() string {
	if p.BuryUncertain {
		return "dead"
	}
	return "retry"
}

// Settlement is what became of one attempt.
type Settlement struct {
	// Consumer and K name the take that handed the order out.
	Consumer string
	K        int64
	Entry    EntryID
	OrderID  string
	Outcome  Outcome
	// Delay is how long the order waits before it is due again, if it is.
	Delay time.Duration
	// RetryAfter is how long the partner asked everybody to wait, with
	// OutcomeThrottled; 0 if it did not say.
	RetryAfter time.Duration
	// Status and Answer are the partner's; of the answer 2 KiB are kept.
	Status int
	Answer string
	// Cut says that we ended the call ourselves: it speaks neither against the
	// order nor against the partner.
	Cut    bool
	Policy Policy
}

// Effect is what an outcome did to the queue as a whole.
type Effect string

// The effects of a settlement.
const (
	// EffectHold: nobody sends for a while, since the partner asked for it.
	EffectHold Effect = "hold"
	// EffectOpen: nobody gets through to the partner. Nobody sends for a while,
	// and then one order at a time until one is delivered.
	EffectOpen Effect = "open"
	// EffectClosed: an order got through again.
	EffectClosed Effect = "closed"
	// EffectCredentials: the queue paused itself, since the partner refused us.
	EffectCredentials Effect = "credentials"
)

// Settled is what a settlement changed.
type Settled struct {
	// State is the order's now.
	State State
	// Stray is true if the consumer no longer held the order and the outcome
	// was not delivered: nothing changed. So it is with a repeated settlement.
	Stray bool
	// Effect is what came of it for the whole queue, and For how long; empty if
	// nothing did.
	Effect Effect
	For    time.Duration
}

// Settle records an attempt and does what follows from it in one step.
// OutcomeDelivered always counts, by order id, even if the order is no longer
// this consumer's; all else only from whoever holds it by this very take.
// Safe to repeat, and to be repeated until it is answered.
//
// Errors: [ErrUnavailable], [ErrNotConfirmed].
func (q *Queue) Settle(ctx context.Context, s Settlement) (Settled, error) {
	p := s.Policy.withDefaults()
	counts := "1"
	if s.Cut {
		counts = "0"
	}
	answer := s.Answer[:min(len(s.Answer), maxAnswer)]
	r, err := q.run(ctx, settleScript, true, q.args(s.Consumer, itoa(s.K), s.Entry.String(), s.OrderID, string(s.Outcome),
		ms(s.Delay), itoa(int64(s.Status)), answer, ms(q.cfg.Retention), counts,
		itoa(int64(p.MaxStrikes)), p.uncertain(), ms(p.Quiet), ms(s.RetryAfter), ms(p.MaxHold))...)
	if err != nil {
		return Settled{}, err
	}
	settled := Settled{Stray: r.text() == "stray", State: State(r.text())}
	if !settled.Stray {
		settled.Effect, settled.For = Effect(r.text()), r.millis()
	}
	return settled, r.done()
}

// Release hands back entries that were taken and not started: they are due at
// once and the attempt does not count. It returns how many it handed back; what
// the consumer no longer holds by take k is left alone. Safe to repeat.
//
// Errors: [ErrGone] (another has them already), [ErrUnavailable].
func (q *Queue) Release(ctx context.Context, consumer string, k int64, entries ...EntryID) (int, error) {
	args := q.args(consumer, itoa(k))
	for _, id := range entries {
		args = append(args, id.String())
	}
	r, err := q.run(ctx, releaseScript, false, args...)
	if err != nil {
		return 0, err
	}
	if r.text() == "gone" {
		return 0, ErrGone
	}
	n := r.int()
	return int(n), r.done()
}
