package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderq/streamutil"
)

// abandonAfter is how long a Sender may ignore that its context has ended.
const abandonAfter = 5 * time.Second

// keptPanic is how many bytes of a panic's text are kept.
const keptPanic = 200

// Sender makes one call for one order.
//
// Send is called once for every attempt, at the moment the order may start. Its
// context ends at the call's timeout, or earlier if this consumer could not
// show that it lives; a Sender that ignores it is abandoned 5 s later as
// uncertain. A panic counts as failed. Send is called from many goroutines.
//
// What it puts into a Result is shown to people and kept in Redis.
type Sender interface {
	Send(ctx context.Context, o streamutil.Order) Result
}

// Result is what a call meant.
type Result struct {
	// Outcome decides what becomes of the order. Empty or unknown is failed.
	Outcome streamutil.Outcome
	// RetryAfter is how long the partner asked us to wait, with
	// OutcomeThrottled; 0 means that it did not say.
	RetryAfter time.Duration
	// Status is the HTTP status of the answer; 0 without one.
	Status int
	// Answer is the start of the partner's answer, for people; 2 KiB are kept.
	Answer string
	// Err says why there was no answer.
	Err error
}

// preparer is a Sender that can do part of a call before its slot is asked for.
type preparer interface {
	// prepare returns when the next n calls can start without delay, or when it
	// cannot be helped: the calls themselves will tell.
	prepare(ctx context.Context, n int)
}

// startMarker is a Sender that passes the gate by itself, at its first byte.
// The start of any other Sender's call is the call of Send.
type startMarker interface{ marksStart() }

// gated passes the gate for a Sender that knows nothing of it.
type gated struct {
	Sender

	gate *gate
}

// Send makes the call unless it is too late for it.
func (g gated) Send(ctx context.Context, o streamutil.Order) Result {
	if err := g.gate.check(); err != nil {
		return Result{Outcome: streamutil.OutcomeUnavailable, Err: err}
	}
	g.gate.pass()
	return g.Sender.Send(ctx, o)
}

// send calls the Sender and survives whatever it does. Nobody waits for it any
// more when work has ended.
func send(ctx, work context.Context, s Sender, o streamutil.Order) Result {
	done := make(chan Result, 1)
	go func() {
		r := Result{Err: errors.New("the sender ended its goroutine")} // runtime.Goexit: no return, no panic
		defer func() {
			if p := recover(); p != nil {
				r = Result{Err: fmt.Errorf("sender panicked: %s", panicText(p, o))}
			}
			done <- r
		}()
		r = s.Send(ctx, o)
	}()
	var r Result
	select {
	case r = <-done:
	case <-ctx.Done():
		r = await(work, done)
	}
	return r.sane()
}

// sane makes a Result that others may rely on, whatever a Sender returned.
func (r Result) sane() Result {
	if r.Outcome == "" {
		r.Outcome = streamutil.OutcomeFailed
	}
	if !slices.Contains(streamutil.Outcomes(), r.Outcome) {
		r.Err = errors.Join(fmt.Errorf("the sender returned an unknown outcome: %.40q", string(r.Outcome)), r.Err)
		r.Outcome = streamutil.OutcomeFailed
	}
	if r.Outcome != streamutil.OutcomeThrottled {
		r.RetryAfter = 0
	}
	r.RetryAfter = min(max(r.RetryAfter, 0), maxRetryAfter)
	r.Answer = start([]byte(r.Answer))
	return r
}

// panicText is what is shown of a panic: the start of its first line, without
// the order's body, which belongs in no log.
func panicText(p any, o streamutil.Order) string {
	text := fmt.Sprint(p)
	if len(o.Body) > 0 {
		quoted := strconv.Quote(string(o.Body))
		for _, form := range []string{string(o.Body), quoted[1 : len(quoted)-1], fmt.Sprintf("%d", o.Body)} {
			text = strings.ReplaceAll(text, form, "[body]")
		}
	}
	text, _, _ = strings.Cut(text, "\n")
	return cut([]byte(text), keptPanic)
}

func await(work context.Context, done <-chan Result) Result {
	t := time.NewTimer(abandonAfter)
	defer t.Stop()
	select {
	case r := <-done:
		return r
	case <-t.C:
	case <-work.Done():
	}
	return Result{
		Outcome: streamutil.OutcomeUncertain,
		Err:     errors.New("abandoned: the sender went on after its context had ended"),
	}
}
