package streamutil

import "context"

// Cancellation is what became of the wish to cancel an order.
type Cancellation struct {
	// Done is false if the order was in flight or final: nothing changed.
	Done bool
	// State is the one that the order was in.
	State State
	// Attempts is how often it was handed out to be sent. If that is not 0 the
	// partner may have it.
	Attempts int
}

// Cancel takes a waiting or parked order out of the queue. Should an earlier
// attempt turn out to have been delivered after all, the order is delivered.
//
// Errors: [ErrNotFound], [ErrUnavailable], [ErrNotConfirmed] (it is done, and a
// repetition finds the order cancelled).
func (q *Queue) Cancel(ctx context.Context, orderID string, by Act) (Cancellation, error) {
	r, err := q.run(ctx, cancelScript, true, q.args(by.Who, by.Why, orderID, ms(q.cfg.Retention))...)
	if err != nil {
		return Cancellation{}, err
	}
	status := r.text()
	if status == "none" {
		return Cancellation{}, ErrNotFound
	}
	c := Cancellation{Done: status == "ok", State: State(r.text()), Attempts: int(r.int())}
	return c, r.done()
}
