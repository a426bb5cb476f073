package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderq/streamutil"
)

// abandonAfter is how long a Sender may ignore that its context has ended.
const abandonAfter = 5 * time.Second

// Sender makes one call for one order.
//
// Send is called once for every attempt, at the moment the order may start. Its
// context ends at the call's timeout, or earlier if this consumer could not
// show that it lives; a Sender that ignores it is abandoned 5 s later as
// uncertain. A panic counts as failed. Send is called from many goroutines.
type Sender interface {
	Send(ctx context.Context, o streamutil.Order) Result
}

// Result is what a call meant.
type Result struct {
	// Outcome decides what becomes of the order. Empty is failed.
	Outcome streamutil.Outcome
	// Status is the HTTP status of the answer; 0 without one.
	Status int
	// Answer is the start of the partner's answer, for people.
	Answer string
	// Err says why there was no answer.
	Err error
}

// preparer is a Sender that can do part of a call before its slot is asked for.
type preparer interface {
	// prepare returns when the next call can start without delay, or when it
	// cannot be helped: the call itself will tell.
	prepare(ctx context.Context)
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
		defer func() {
			if p := recover(); p != nil {
				done <- Result{Outcome: streamutil.OutcomeFailed, Err: fmt.Errorf("sender panicked: %v", p)}
			}
		}()
		done <- s.Send(ctx, o)
	}()
	var r Result
	select {
	case r = <-done:
	case <-ctx.Done():
		r = await(work, done)
	}
	if r.Outcome == "" {
		r.Outcome = streamutil.OutcomeFailed
	}
	return r
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
