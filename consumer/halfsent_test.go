package consumer

import (
	"context"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// halfSent is a call whose first byte was on its way when it was cut: it may
// have left, and the gate has not been told.
type halfSent struct{ entered, cut chan struct{} }

func (h halfSent) marksStart() {}

func (h halfSent) Send(ctx context.Context, _ streamutil.Order) Result {
	select {
	case h.entered <- struct{}{}:
	default:
		return Result{Outcome: streamutil.OutcomeDelivered, Status: 200}
	}
	<-ctx.Done()
	close(h.cut)
	return Result{Outcome: streamutil.OutcomeUncertain}
}

// TestHalfSentCallIsUncertain: it must not go back as if nothing had been sent,
// to be sent again at once and under the same attempt number.
func TestHalfSentCallIsUncertain(t *testing.T) {
	t.Parallel()
	r := newRigOn(t, redistest.Start(t))
	h := halfSent{make(chan struct{}), make(chan struct{})}
	r.enqueue(0, 1)
	r.run(h, func(c *Config) { c.CallTimeout = 950 * ms; c.Lease = time.Second })
	<-h.entered
	r.srv.Stop()
	<-h.cut
	r.srv.Continue()
	var rec streamutil.Record
	redistest.Eventually(t, "the call is settled", func() bool {
		rec, _ = r.q.Lookup(t.Context(), "o-0")
		return rec.State == streamutil.Parked || rec.State.Final()
	})
	if rec.Attempts != 1 || rec.State != streamutil.Parked || rec.LastOutcome != streamutil.OutcomeUncertain {
		t.Errorf("%s after %d attempts, outcome %q; want parked after 1, uncertain", rec.State, rec.Attempts, rec.LastOutcome)
	}
}
