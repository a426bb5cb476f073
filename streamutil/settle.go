package streamutil

import (
	"context"
	"time"
)

// maxAnswer is how much of a partner's answer a record keeps, in bytes.
const maxAnswer = 2048

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
	// Status and Answer are the partner's; of the answer 2 KiB are kept.
	Status int
	Answer string
	// BuryUncertain makes an uncertain attempt a dead letter.
	BuryUncertain bool
}

// Settled is what a settlement changed.
type Settled struct {
	// State is the order's now.
	State State
	// Stray is true if the consumer no longer held the order and the outcome
	// was not delivered: nothing changed. So it is with a repeated settlement.
	Stray bool
}

// Settle records an attempt and does what follows from it in one step.
// OutcomeDelivered always counts, by order id, even if the order is no longer
// this consumer's; all else only from whoever holds it by this very take.
// Safe to repeat, and to be repeated until it is answered.
//
// Errors: [ErrUnavailable], [ErrNotConfirmed].
func (q *Queue) Settle(ctx context.Context, s Settlement) (Settled, error) {
	uncertain := "retry"
	if s.BuryUncertain {
		uncertain = "dead"
	}
	answer := s.Answer[:min(len(s.Answer), maxAnswer)]
	r, err := q.run(ctx, settleScript, true, q.args(s.Consumer, itoa(s.K), s.Entry.String(), s.OrderID, string(s.Outcome),
		itoa(s.Delay.Milliseconds()), itoa(int64(s.Status)), answer, uncertain, itoa(q.cfg.Retention.Milliseconds()))...)
	if err != nil {
		return Settled{}, err
	}
	settled := Settled{Stray: r.text() == "stray", State: State(r.text())}
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
