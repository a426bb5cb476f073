package streamutil

import (
	"context"
	"time"
)

// Act is who makes a change to a queue, and why: recorded in its log.
type Act struct{ Who, Why string }

// Pause stops the sending for d, or with 0 until somebody resumes. Orders are
// accepted all the same, and calls that run go on. A pause that is there already
// is replaced.
//
// Errors: [ErrUnavailable].
func (q *Queue) Pause(ctx context.Context, d time.Duration, by Act) error {
	r, err := q.run(ctx, pauseScript, true, q.args(by.Who, by.Why, ms(d))...)
	if err != nil {
		return err
	}
	r.text()
	return r.done()
}

// Resume ends whatever keeps the queue from sending, and returns what that was:
// paused or credentials, hold, breaker; nothing if nothing did. Orders that an
// outage has parked are due at once.
//
// Errors: [ErrUnavailable].
func (q *Queue) Resume(ctx context.Context, by Act) ([]string, error) {
	r, err := q.run(ctx, resumeScript, true, q.args(by.Who, by.Why)...)
	if err != nil {
		return nil, err
	}
	r.text()
	list := r.nested()
	var ended []string
	for len(list.values) > 0 {
		ended = append(ended, list.text())
	}
	return ended, r.done(list)
}

// SetPace puts an operator's pace in place of the slowest consumer's, for d or
// with 0 until it is reset. It may be faster than the consumers' own.
//
// Errors: [ErrUnavailable].
func (q *Queue) SetPace(ctx context.Context, p Pace, d time.Duration, by Act) error {
	return q.pace(ctx, p.Interval().Microseconds(), d, by)
}

// ResetPace gives the queue its own pace back: the slowest consumer's.
//
// Errors: [ErrUnavailable].
func (q *Queue) ResetPace(ctx context.Context, by Act) error { return q.pace(ctx, -1, 0, by) }

func (q *Queue) pace(ctx context.Context, micros int64, d time.Duration, by Act) error {
	r, err := q.run(ctx, paceScript, true, q.args(by.Who, by.Why, itoa(micros), ms(d))...)
	if err != nil {
		return err
	}
	r.text()
	return r.done()
}

// Retry makes a parked order due at once. It returns the state that the order
// was in; only a parked one is changed.
//
// Errors: [ErrNotFound], [ErrUnavailable].
func (q *Queue) Retry(ctx context.Context, orderID string, by Act) (State, error) {
	r, err := q.run(ctx, retryScript, true, q.args(by.Who, by.Why, orderID)...)
	if err != nil {
		return "", err
	}
	if r.text() == "none" {
		return "", ErrNotFound
	}
	state := State(r.text())
	return state, r.done()
}
