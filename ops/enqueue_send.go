package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"time"

	"orderq/streamutil"
)

// A chunk that is not taken is sent again after up to 500 ms, doubling to 10 s.
const (
	backoffFirst = 500 * time.Millisecond
	backoffMax   = 10 * time.Second
)

// sayAgainAfter is how long the same setback is not told again.
const sayAgainAfter = 10 * time.Second

// goOn is what to do after enqueue ended early for a reason that passes.
const goOn = "run the same command again to go on: orders that were accepted are recognised"

// loader submits all orders of an input, one chunk after another.
type loader struct {
	view
	to      *submitter
	giveUp  time.Duration // how long without an order that is taken or refused
	name    string        // of the input
	idField string
	read    func() (share float64) // how much of the input was read; nil: not known

	sum      summary
	began    time.Time
	progress *progress
	last     string // the setback that was told last
	lastSaid time.Time
	passed   bool // orders were taken since
}

// load submits chunk after chunk until the input ends.
func (l *loader) load(ctx context.Context, c *chunks) error {
	for {
		chunk, end := c.next(ctx)
		l.sum.Read += len(chunk)
		err := l.submit(ctx, chunk)
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case err == nil && errors.Is(end, io.EOF):
			return nil
		case ctx.Err() != nil:
			return errors.New("interrupted; " + goOn)
		case end != nil:
			return fmt.Errorf("%s:%w; what came before it was submitted", l.name, end)
		}
	}
}

// submit sends a chunk until all of it is taken or refused. Only what was
// neither is sent again, and nothing that follows before it, so that the order
// stays.
func (l *loader) submit(ctx context.Context, chunk []submission) error {
	if len(chunk) == 1 && chunk[0].body == nil {
		l.reject(chunk[0], verdict{Problem: &problem{Detail: "larger than 1 MiB, not sent"}})
		return nil
	}
	deadline := time.Now().Add(l.giveUp)
	for tries := 0; len(chunk) > 0; tries++ {
		r, err := l.to.send(ctx, chunk)
		back, passes := errors.AsType[*setback](err)
		if err != nil && !passes {
			return err
		}
		if err == nil {
			left, why := l.settle(chunk, r)
			if len(left) < len(chunk) {
				deadline, tries = time.Now().Add(l.giveUp), 0
			}
			chunk, back = left, why
		}
		l.show()
		if len(chunk) == 0 {
			break
		}
		if err := l.wait(ctx, tries, back, deadline); err != nil {
			return err
		}
	}
	l.passed = true
	return nil
}

// settle counts what is decided, and gives what is not and why.
func (l *loader) settle(chunk []submission, r results) (left []submission, why *setback) {
	l.sum.reached(r.Durability)
	for i, v := range r.Results {
		switch {
		case v.Status == http.StatusAccepted && v.Duplicate:
			l.sum.Duplicates++
			if v.State == streamutil.Cancelled || v.State == streamutil.Dead {
				l.ended(chunk[i], v)
			}
		case v.Status == http.StatusAccepted:
			l.sum.Accepted++
		case passing(v.Status):
			left = append(left, chunk[i])
			why = &setback{what: fmt.Sprintf("%s answers %d for an order: %s", l.to.shown, v.Status, brief(v.Problem.String()))}
		default:
			l.reject(chunk[i], v)
		}
	}
	return left, why
}

// wait sleeps before a repetition, with full jitter but no less than was asked.
func (l *loader) wait(ctx context.Context, tries int, back *setback, deadline time.Time) error {
	left := time.Until(deadline)
	if left <= 0 {
		return fmt.Errorf("gave up after %s without progress: %s; %s", span(l.giveUp-left), back.what, goOn)
	}
	if back.after > left {
		return fmt.Errorf("gave up: %s; it asks for a wait of %s, longer than --give-up-after allows; %s", back.what, span(back.after), goOn)
	}
	d := max(min(rand.N(min(backoffFirst<<min(tries, 10), backoffMax)), left), back.after)
	if now := time.Now(); l.last != back.what || l.passed && now.Sub(l.lastSaid) > sayAgainAfter {
		l.say("%s; trying again for up to %s", back.what, span(left))
		l.last, l.lastSaid, l.passed = back.what, now, false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reject counts an order that is not taken, and says where it stands and why:
// never what is in it.
func (l *loader) reject(order submission, v verdict) {
	if l.sum.Rejected++; l.sum.Rejected > l.limit {
		return
	}
	id, status := "-", ""
	if v.OrderID != nil {
		id = *v.OrderID
	} else if known := l.idOf(order.body); known != "" {
		id = known
	}
	if v.Status > 0 {
		status = fmt.Sprintf(" %d", v.Status)
	}
	l.say("%s:%d order %s:%s %s", l.name, order.line, id, status, brief(v.Problem.String()))
}

// ended says of an order that was accepted before that it will not be sent.
func (l *loader) ended(order submission, v verdict) {
	if l.sum.Ended++; l.sum.Ended <= l.limit && v.OrderID != nil {
		l.say("%s:%d order %s: was accepted before and is %s: it is not sent", l.name, order.line, *v.OrderID, v.State)
	}
}

var orderID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// say tells people something beside the data and the line of progress.
func (l *loader) say(format string, args ...any) {
	l.progress.end()
	fmt.Fprintln(l.errs, printable(fmt.Sprintf(format, args...)))
}

// show shows how far it is.
func (l *loader) show() {
	n := l.sum.Accepted + l.sum.Duplicates + l.sum.Rejected
	share := ""
	if l.read != nil {
		share = fmt.Sprintf(" %.0f %% read,", 100*l.read())
	}
	l.progress.show("%s,%s %.0f/s, %d rejected", several(n, "order"), share,
		float64(n)/max(time.Since(l.began).Seconds(), 0.001), l.sum.Rejected)
}
