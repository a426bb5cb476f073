package partner

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Report is what [Check] found in a partner's calls.
type Report struct {
	// Calls and Orders are how many there were; Accepted counts the orders that
	// the partner took at least once, Repeated those it took more than once.
	Calls, Orders, Accepted, Repeated int
	// Overlaps are pairs of calls for one order that ran at the same time.
	Overlaps []Pair
	// Mixed are pairs of calls for one order that differ in the idempotency key
	// or the body.
	Mixed []Pair
	// Unnamed are calls without an order id or with a key that is not it.
	Unnamed []Call
	// Close are pairs of calls, of any orders, whose starts are less than the
	// pace's interval apart.
	Close []Pair
	// Gaps are the times between one start and the next, in order.
	Gaps []time.Duration
}

// Pair is two calls that should not be as they are to each other.
type Pair struct{ First, Second Call }

func (p Pair) String() string {
	return fmt.Sprintf("order %s attempt %d and order %s attempt %d, starts %v apart, the first took %v",
		p.First.OrderID, p.First.Attempt, p.Second.OrderID, p.Second.Attempt,
		time.Duration(p.Second.Start()-p.First.Start()), p.First.Took())
}

// Check examines the calls in any order. Interval is the least time allowed
// between two starts; 0 allows any.
func Check(calls []Call, interval time.Duration) Report {
	calls = slices.Clone(calls)
	slices.SortStableFunc(calls, func(a, b Call) int { return cmp.Compare(a.Start(), b.Start()) })
	r := Report{Calls: len(calls)}
	r.checkStarts(calls, interval)
	byOrder := map[string][]Call{}
	for _, c := range calls {
		if c.OrderID == "" || c.Key != c.OrderID {
			r.Unnamed = append(r.Unnamed, c)
		}
		byOrder[c.OrderID] = append(byOrder[c.OrderID], c)
	}
	r.Orders = len(byOrder)
	for _, of := range byOrder {
		r.checkOrder(of)
	}
	return r
}

func (r *Report) checkStarts(calls []Call, interval time.Duration) {
	for i := 1; i < len(calls); i++ {
		gap := time.Duration(calls[i].Start() - calls[i-1].Start())
		r.Gaps = append(r.Gaps, gap)
		if gap < interval {
			r.Close = append(r.Close, Pair{calls[i-1], calls[i]})
		}
	}
}

// checkOrder examines the calls of one order. One that runs still, or whose
// end nobody saw, overlaps whatever came after it.
func (r *Report) checkOrder(calls []Call) {
	slices.SortFunc(calls, func(a, b Call) int { return cmp.Compare(a.Arrived, b.Arrived) })
	accepted := 0
	longest := calls[0] // of those so far, the one that ended last
	for i, c := range calls {
		if c.Accepted() {
			accepted++
		}
		if i == 0 {
			continue
		}
		if c.Key != calls[0].Key || c.BodySHA != calls[0].BodySHA {
			r.Mixed = append(r.Mixed, Pair{calls[0], c})
		}
		if longest.Ended == 0 || c.Arrived < longest.Ended {
			r.Overlaps = append(r.Overlaps, Pair{longest, c})
		}
		if longest.Ended != 0 && (c.Ended == 0 || c.Ended > longest.Ended) {
			longest = c
		}
	}
	if accepted > 0 {
		r.Accepted++
	}
	if accepted > 1 {
		r.Repeated++
	}
}

// Err lists every broken promise, nil if there is none. Orders that were taken
// more than once break none: that can happen when an answer is lost.
func (r Report) Err() error {
	var all []error
	for _, found := range []struct {
		what  string
		pairs []Pair
	}{
		{"two calls for one order at once", r.Overlaps},
		{"another key or body for the same order", r.Mixed},
		{"starts too close", r.Close},
	} {
		for _, p := range found.pairs {
			all = append(all, fmt.Errorf("%s: %v", found.what, p))
		}
	}
	for _, c := range r.Unnamed {
		all = append(all, fmt.Errorf("call %d: order id %q with key %q", c.Seq, c.OrderID, c.Key))
	}
	return errors.Join(all...)
}

// Quantile gives the q-th quantile of durations, by the nearest rank: 0 is the
// least, 0.5 the median, 1 the greatest. It is 0 for none.
func Quantile(durations []time.Duration, q float64) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
