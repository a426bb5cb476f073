package consumer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"orderq/streamutil"
)

// senderFunc is a Sender that is a function.
type senderFunc func(ctx context.Context, o streamutil.Order) Result

func (f senderFunc) Send(ctx context.Context, o streamutil.Order) Result { return f(ctx, o) }

// TestSendSurvives: whatever a Sender does, its attempt ends with an outcome, and
// in time.
func TestSendSurvives(t *testing.T) {
	const timeout = 10 * time.Second
	ignores := func(d time.Duration) senderFunc {
		return func(context.Context, streamutil.Order) Result {
			_ = bubbleClock().sleep(context.Background(), d)
			return Result{Outcome: streamutil.OutcomeDelivered}
		}
	}
	for _, tc := range []struct {
		name   string
		sender senderFunc
		want   streamutil.Outcome
		err    string
		took   time.Duration
	}{
		{"an answer", ignores(time.Second), streamutil.OutcomeDelivered, "", time.Second},
		{"no outcome", func(context.Context, streamutil.Order) Result {
			return Result{Err: errors.New("so")}
		}, streamutil.OutcomeFailed, "so", 0},
		{"a panic", func(context.Context, streamutil.Order) Result {
			panic("broken")
		}, streamutil.OutcomeFailed, "sender panicked: broken", 0},
		{"it heeds its context", func(ctx context.Context, _ streamutil.Order) Result {
			<-ctx.Done()
			return Result{Outcome: streamutil.OutcomeUncertain, Err: ctx.Err()}
		}, streamutil.OutcomeUncertain, "context deadline exceeded", timeout},
		{"it answers after its context ended", ignores(timeout + 4*time.Second), streamutil.OutcomeDelivered, "", timeout + 4*time.Second},
		{
			"it ignores its context", ignores(time.Hour), streamutil.OutcomeUncertain,
			"abandoned: the sender went on after its context had ended", timeout + 5*time.Second,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				defer cancel()
				began := time.Now()
				r := send(ctx, t.Context(), tc.sender, streamutil.Order{})
				if r.Outcome != tc.want || text(r.Err) != tc.err {
					t.Errorf("%s, %q; want %s, %q", r.Outcome, text(r.Err), tc.want, tc.err)
				}
				if took := time.Since(began); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				pass(t, bubbleClock(), time.Hour) // those that were abandoned end, too
			})
		})
	}
}

// TestSendStops: when the work ends, a Sender that ignores its context holds up
// nobody.
func TestSendStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		work, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		began := time.Now()
		r := send(work, work, senderFunc(func(context.Context, streamutil.Order) Result {
			_ = bubbleClock().sleep(context.Background(), time.Minute)
			return Result{Outcome: streamutil.OutcomeDelivered}
		}), streamutil.Order{})
		if took := time.Since(began); r.Outcome != streamutil.OutcomeUncertain || took != time.Second {
			t.Errorf("%s after %v, want uncertain after 1s", r.Outcome, took)
		}
		pass(t, bubbleClock(), time.Minute)
	})
}

// TestGatedSender: a Sender that knows nothing of gates is called only through
// one.
func TestGatedSender(t *testing.T) {
	hand := &handClock{}
	f := newFence(t.Context(), hand.clock(), time.Minute, 0)
	defer f.stop()
	called := 0
	s := senderFunc(func(context.Context, streamutil.Order) Result {
		called++
		return Result{Outcome: streamutil.OutcomeDelivered}
	})
	g := newGate(hand.clock(), f, 0)
	if r := (gated{s, g}).Send(t.Context(), streamutil.Order{}); r.Outcome != streamutil.OutcomeDelivered || called != 1 {
		t.Errorf("in time: %s, called %d times", r.Outcome, called)
	}
	if _, begun := g.passed(); !begun {
		t.Error("in time: the gate was not passed")
	}
	hand.at = time.Second
	g = newGate(hand.clock(), f, 0)
	if r := (gated{s, g}).Send(t.Context(), streamutil.Order{}); !errors.Is(r.Err, errTooLate) || called != 1 || !g.wasRefused() {
		t.Errorf("too late: %v, called %d times, refused %t", r.Err, called, g.wasRefused())
	}
}
