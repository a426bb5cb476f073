package campaign

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"orderq/internal/partner"
	"orderq/streamutil"
)

// Evidence is what a campaign leaves behind once it is over and the queue has
// been given time to drain.
type Evidence struct {
	// Interval is the least time between two starts. 0 allows any.
	Interval time.Duration
	// InOrder demands that orders start in the order of their acceptance. A
	// campaign that kills consumers cannot: what a dead one held waits for its
	// lease, and later orders go on.
	InOrder bool
	// Accepted are the orders that the producer answered 202, by id.
	Accepted map[string]Submission
	// Calls is everything that arrived at the partner.
	Calls []partner.Call
	// States is what a lookup said of each order at the end, by id.
	States map[string]streamutil.State
	// Deaths is how many consumers were killed. So many that it could not have
	// been by the order's own doing may still hit the same order three times:
	// it is set aside as poison then, as promised, and a person decides.
	Deaths int
	// Poison are the orders whose dead letter says that.
	Poison map[string]bool
	// Final is the queue at the end.
	Final streamutil.Snapshot
}

// Submission is an order as its shop knows it.
type Submission struct {
	Entry streamutil.EntryID
	// BodySHA is the SHA-256 of the body that was posted, in hex.
	BodySHA string
}

// Kind names a promise that was broken.
type Kind string

// What can be wrong at the end of a campaign.
const (
	Lost      Kind = "lost"       // accepted, and the partner never took it
	NotFinal  Kind = "not final"  // its record does not say delivered
	Overlap   Kind = "overlap"    // two calls for one order at once
	TooClose  Kind = "too close"  // two starts less than the interval apart
	Altered   Kind = "altered"    // another key or body than was posted
	Stranger  Kind = "stranger"   // a call for an order that was never posted
	Unstamped Kind = "unstamped"  // a call that does not say when it started
	Recounted Kind = "recounted"  // attempt numbers that do not rise
	Overtaken Kind = "overtaken"  // started before an order accepted earlier
	Leftover  Kind = "left over"  // the queue is not empty
	Miscount  Kind = "miscounted" // the queue's totals are not what happened
)

// Violation is one broken promise.
type Violation struct {
	Kind   Kind
	Detail string
}

// Report is the verdict on a campaign.
type Report struct {
	// Partner is the partner's own view.
	Partner partner.Report
	// Overtakings counts orders that started before one accepted earlier,
	// allowed or not.
	Overtakings int
	// Poison counts the orders that saw three consumers die.
	Poison     int
	Violations []Violation
}

// Check judges the evidence.
func Check(e Evidence) Report {
	r := Report{Partner: partner.Check(e.Calls, e.Interval)}
	r.partner()
	calls := map[string][]partner.Call{}
	for _, c := range e.Calls {
		calls[c.OrderID] = append(calls[c.OrderID], c)
	}
	for _, id := range slices.Sorted(maps.Keys(calls)) {
		r.calls(id, calls[id], e.Accepted)
	}
	if e.Deaths >= streamutil.MaxDeaths {
		r.Poison = len(e.Poison)
	}
	for _, id := range slices.Sorted(maps.Keys(e.Accepted)) {
		want := streamutil.Delivered
		if r.Poison > 0 && e.Poison[id] {
			want = streamutil.Dead
		} else if !slices.ContainsFunc(calls[id], partner.Call.Accepted) {
			r.add(Lost, "order %s: %d calls, none of them taken", id, len(calls[id]))
		}
		if s := e.States[id]; s != want {
			r.add(NotFinal, "order %s is %q, not %q", id, s, want)
		}
	}
	r.order(e)
	r.final(e.Final, int64(len(e.Accepted)), int64(r.Poison))
	return r
}

func (r *Report) add(k Kind, format string, args ...any) {
	r.Violations = append(r.Violations, Violation{k, fmt.Sprintf(format, args...)})
}

// partner takes over what the partner noticed by itself.
func (r *Report) partner() {
	for _, found := range []struct {
		kind  Kind
		pairs []partner.Pair
	}{{Overlap, r.Partner.Overlaps}, {TooClose, r.Partner.Close}, {Altered, r.Partner.Mixed}} {
		for _, p := range found.pairs {
			r.add(found.kind, "%v", p)
		}
	}
	for _, c := range r.Partner.Unnamed {
		r.add(Altered, "order %q has key %q", c.OrderID, c.Key)
	}
}

// calls examines the calls for one order.
func (r *Report) calls(id string, calls []partner.Call, accepted map[string]Submission) {
	posted, known := accepted[id]
	if !known {
		r.add(Stranger, "order %q: %d calls", id, len(calls))
		return
	}
	slices.SortFunc(calls, byStart)
	last := 0
	for _, c := range calls {
		if c.BodySHA != posted.BodySHA {
			r.add(Altered, "order %s attempt %d: not the body that was posted", id, c.Attempt)
		}
		if c.Sent == 0 {
			r.add(Unstamped, "order %s attempt %d", id, c.Attempt)
		}
		if c.Attempt <= last {
			r.add(Recounted, "order %s: attempt %d after attempt %d", id, c.Attempt, last)
		}
		last = c.Attempt
	}
}

// order compares the first starts of orders with their acceptance.
func (r *Report) order(e Evidence) {
	var latest streamutil.EntryID
	seen := map[string]bool{}
	for _, c := range slices.SortedFunc(slices.Values(e.Calls), byStart) {
		posted, known := e.Accepted[c.OrderID]
		if !known || seen[c.OrderID] {
			continue
		}
		seen[c.OrderID] = true
		if posted.Entry.Compare(latest) < 0 {
			r.Overtakings++
			if e.InOrder {
				r.add(Overtaken, "order %s, entry %s, started after entry %s", c.OrderID, posted.Entry, latest)
			}
			continue
		}
		latest = posted.Entry
	}
}

// final examines the queue at the end: every order has left it, once.
func (r *Report) final(s streamutil.Snapshot, accepted, poison int64) {
	if s.Length != 0 || s.InFlight != 0 || s.Parked != 0 || s.Dead != poison {
		r.add(Leftover, "%d entries, %d in flight, %d parked, %d dead", s.Length, s.InFlight, s.Parked, s.Dead)
	}
	if want := (streamutil.Totals{Accepted: accepted, Delivered: accepted - poison, Dead: poison}); s.Totals != want {
		r.add(Miscount, "%+v, want %+v", s.Totals, want)
	}
}

func byStart(a, b partner.Call) int { return cmp.Compare(a.Start(), b.Start()) }

// Count is how many violations of a kind there are.
func (r Report) Count(k Kind) int {
	n := 0
	for _, v := range r.Violations {
		if v.Kind == k {
			n++
		}
	}
	return n
}

// shownViolations bounds what String lists.
const shownViolations = 20

// String gives the figures in one line and then the first violations, each in
// its own.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d orders, %d calls, %d taken more than once, %d overtaken, %d poison, least gap %v, %d violations",
		r.Partner.Orders, r.Partner.Calls, r.Partner.Repeated, r.Overtakings, r.Poison,
		partner.Quantile(r.Partner.Gaps, 0), len(r.Violations))
	for _, v := range r.Violations[:min(len(r.Violations), shownViolations)] {
		fmt.Fprintf(&b, "\n  %s: %s", v.Kind, v.Detail)
	}
	return b.String()
}
