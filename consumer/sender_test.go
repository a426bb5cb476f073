package consumer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

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
		{"an outcome nobody knows", func(context.Context, streamutil.Order) Result {
			return Result{Outcome: "sent", Err: errors.New("so")}
		}, streamutil.OutcomeFailed, "the sender returned an unknown outcome: \"sent\"\nso", 0},
		{"a panic that is nil", func(context.Context, streamutil.Order) Result {
			panic(nil)
		}, streamutil.OutcomeFailed, "sender panicked: panic called with nil argument", 0},
		{"it ends its goroutine", func(context.Context, streamutil.Order) Result {
			runtime.Goexit()
			return Result{Outcome: streamutil.OutcomeDelivered}
		}, streamutil.OutcomeFailed, "the sender ended its goroutine", 0},
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

// TestPanicText: it is short, and holds no order.
func TestPanicText(t *testing.T) {
	body := "{\n\t\"card\": \"4111 1111\"\n}"
	for _, tc := range []struct {
		name  string
		value any
		want  string
	}{
		{"text", "broken", "broken"},
		{"an error", errors.New("broken"), "broken"},
		{"a number", 7, "7"},
		{"lines", "broken\nhere", "broken"},
		{"long", strings.Repeat("茶", 100), strings.Repeat("茶", 66)},
		{"the body", "cannot send " + body + " now", "cannot send [body] now"},
		{"the body, quoted", fmt.Sprintf("cannot send %q now", body), `cannot send "[body]" now`},
		{"the body as bytes", []byte(body), "[body]"},
		{"the order", streamutil.Order{ID: "A", Body: []byte(body)}, "{A [body] "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := panicText(tc.value, streamutil.Order{Body: []byte(body)})
			if tc.name == "the order" {
				got = got[:len(tc.want)]
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestSane: a Result is bounded and fits its outcome, whoever made it.
func TestSane(t *testing.T) {
	long := strings.Repeat("x", keptAnswer)
	for _, tc := range []struct {
		name      string
		got, want Result
	}{
		{
			"a wait that fits",
			Result{Outcome: streamutil.OutcomeThrottled, RetryAfter: time.Second},
			Result{Outcome: streamutil.OutcomeThrottled, RetryAfter: time.Second},
		},
		{
			"a wait below zero",
			Result{Outcome: streamutil.OutcomeThrottled, RetryAfter: -time.Second},
			Result{Outcome: streamutil.OutcomeThrottled},
		},
		{
			"a wait without end",
			Result{Outcome: streamutil.OutcomeThrottled, RetryAfter: 1<<63 - 1},
			Result{Outcome: streamutil.OutcomeThrottled, RetryAfter: maxRetryAfter},
		},
		{
			"a wait that means nothing",
			Result{Outcome: streamutil.OutcomeFailed, RetryAfter: time.Second},
			Result{Outcome: streamutil.OutcomeFailed},
		},
		{
			"a long answer",
			Result{Outcome: streamutil.OutcomeDelivered, Answer: long + "y"},
			Result{Outcome: streamutil.OutcomeDelivered, Answer: long},
		},
	} {
		if diff := cmp.Diff(tc.want, tc.got.sane()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
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
	g := newGate(hand.clock(), f, 0, 0)
	if r := (gated{s, g}).Send(t.Context(), streamutil.Order{}); r.Outcome != streamutil.OutcomeDelivered || called != 1 {
		t.Errorf("in time: %s, called %d times", r.Outcome, called)
	}
	if _, begun := g.passed(); !begun {
		t.Error("in time: the gate was not passed")
	}
	hand.at = time.Second
	g = newGate(hand.clock(), f, 0, 0)
	if r := (gated{s, g}).Send(t.Context(), streamutil.Order{}); !errors.Is(r.Err, errTooLate) || called != 1 || !g.wasRefused() {
		t.Errorf("too late: %v, called %d times, refused %t", r.Err, called, g.wasRefused())
	}
}
