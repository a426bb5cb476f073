package streamutil

import (
	"context"
	"fmt"
	"time"
)

// Slot is the queue's present slot as one process read it.
type Slot struct {
	// Epoch and Number name the slot; a number is granted once in an epoch.
	Epoch  string
	Number int64
	// Started is whether every call that the grant allowed has begun.
	Started bool
	// Free is true if it was granted while there was no pace.
	Free bool
	// Wait is how long after reading it as granted nobody else may ask: the
	// whole batch and [Grace].
	Wait time.Duration
	// Open is false while calls may run that Redis has forgotten: see [Queue.Open].
	Open bool
	// Interval is the pace now in force; 0 is unlimited. IntervalKnown is false
	// until a consumer has registered.
	Interval      time.Duration
	IntervalKnown bool
	// Blocked says why nothing may be sent now: paused, credentials, hold or
	// breaker; empty if it may. For is how long; negative until someone acts.
	Blocked string
	For     time.Duration
}

// Take asks for orders to send.
type Take struct {
	// Consumer is the name registered.
	Consumer string
	// K is the consumer's own number, above that of every take before it.
	K int64
	// N is how many orders are wanted; 0 settles accounts without a slot.
	N int
	// Holding names every entry handed out to this consumer whose settling or
	// release it has not seen confirmed. What else is pending under its name
	// becomes due.
	Holding []EntryID
	// Epoch and Slot name the slot that the caller knows.
	Epoch string
	Slot  int64
}

// Verdict is what a take decided.
type Verdict string

// The verdicts of a take.
const (
	// VerdictTaken: the orders may be started, within Grace of just before the
	// take was sent.
	VerdictTaken Verdict = "taken"
	// VerdictEmpty: nothing is ready.
	VerdictEmpty Verdict = "empty"
	// VerdictTold: another slot is in force than the caller named; nothing was used.
	VerdictTold Verdict = "told"
	// VerdictClosed: the epoch is not open yet.
	VerdictClosed Verdict = "closed"
	// VerdictBlocked: nothing may be sent now; Reason says why.
	VerdictBlocked Verdict = "blocked"
	// VerdictSettled: the answer to N = 0.
	VerdictSettled Verdict = "settled"
)

// Taken is a take's answer.
type Taken struct {
	Verdict Verdict
	Slot    Slot
	// Orders to start now, in this order, with VerdictTaken.
	Orders []Order
	// Reason and Wait: with VerdictBlocked why nothing may be sent and for how
	// long, with VerdictEmpty how long until the next parked order is due.
	// Negative means not known, or none.
	Reason string
	Wait   time.Duration
	// Last is, with VerdictEmpty, an ID below that of every entry to come.
	Last EntryID
	// Aside is what the take found to be no order, and set aside, or to be gone.
	Aside []Aside
}

// Aside is an entry that a take came upon and could not hand out.
type Aside struct {
	Entry   EntryID
	OrderID string
	// Reason is [ReasonUndecodable] or [ReasonDuplicate], and the entry is a
	// dead letter now; or [ReasonVanished].
	Reason string
}

// Take hands out what may be sent now: of the entries that are due the oldest,
// then new ones (XREADGROUP). It is never repeated by itself. After an error it
// may have been done or may yet be: take again, with a higher K and N = 0.
//
// Errors: [ErrGone], [ErrStale], [ErrUnavailable], [ErrNotConfirmed].
func (q *Queue) Take(ctx context.Context, t Take) (Taken, error) {
	args := q.args(t.Consumer, itoa(t.K), itoa(int64(t.N)), t.Epoch, itoa(t.Slot), itoa(int64(q.cfg.MaxInFlight)))
	for _, id := range t.Holding {
		args = append(args, id.String())
	}
	r, err := q.run(ctx, takeScript, t.N > 0, args...)
	if err != nil {
		return Taken{}, err
	}
	status := r.text()
	switch status {
	case "gone":
		return Taken{}, ErrGone
	case "stale":
		return Taken{}, ErrStale
	}
	taken := Taken{Verdict: Verdict(status), Slot: r.slot()}
	switch taken.Verdict {
	case VerdictTold, VerdictClosed:
	case VerdictSettled:
		taken.Aside = r.asides()
	case VerdictBlocked:
		taken.Reason, taken.Wait = r.text(), r.millis()
	case VerdictEmpty:
		taken.Wait, taken.Last, taken.Aside = r.millis(), r.entry(), r.asides()
	case VerdictTaken:
		taken.Orders, taken.Aside = r.orders(), r.asides()
	default:
		return Taken{}, fmt.Errorf("take: unknown status %q", taken.Verdict)
	}
	return taken, r.done()
}

// Started tells that the last call a grant allowed has begun, so that the next
// slot may follow an interval later. It acts only on the exact present grant.
// Safe to repeat; if it is lost the slot costs Grace more.
func (q *Queue) Started(ctx context.Context, epoch string, slot int64) (Slot, error) {
	r, err := q.run(ctx, startedScript, false, q.args(epoch, itoa(slot))...)
	if err != nil {
		return Slot{}, err
	}
	r.text()
	s := r.slot()
	return s, r.done()
}

func (r *reply) slot() Slot {
	v := r.nested()
	s := Slot{Epoch: v.text(), Number: v.int()}
	state := v.text()
	s.Started, s.Free = state == "started", state == "free"
	s.Wait, s.Open, s.Interval = v.micros(), v.text() == "1", v.micros()
	s.IntervalKnown = s.Interval >= 0
	s.Blocked, s.For = v.text(), v.millis()
	r.fail(v.err)
	return s
}

func (r *reply) orders() []Order {
	var orders []Order
	for _, v := range r.list() {
		o := Order{Entry: v.entry(), ID: v.text(), Body: []byte(v.text()), TraceParent: v.text()}
		o.Attempt = int(v.int())
		o.Accepted = time.UnixMilli(v.int())
		r.fail(v.err)
		orders = append(orders, o)
	}
	return orders
}

func (r *reply) asides() []Aside {
	var list []Aside
	for _, v := range r.list() {
		list = append(list, Aside{Entry: v.entry(), OrderID: v.text(), Reason: v.text()})
		r.fail(v.err)
	}
	return list
}
