package streamutil

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Order is one order as a consumer gets it, once for every attempt.
type Order struct {
	// ID is the shop's order id, the same for every attempt.
	ID string
	// Body is the document as it was submitted, byte for byte.
	Body []byte
	// Attempt counts the calls handed out for this order, from 1.
	Attempt int
	// Entry is the order's place in the stream.
	Entry EntryID
	// Accepted is when Redis took the order in, by Redis's wall clock.
	Accepted time.Time
	// TraceParent is the W3C traceparent of the request that submitted the
	// order; empty if it had none.
	TraceParent string
}

var orderID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// ValidOrderID reports whether a text can be an order's id: 1 to 128 of
// A-Z a-z 0-9 . _ : - beginning with a letter or digit.
func ValidOrderID(id string) bool { return orderID.MatchString(id) }

// State is where an order is in its life.
type State string

// The states of an order. Delivered, Dead and Cancelled are final.
const (
	Waiting   State = "waiting"
	InFlight  State = "in_flight"
	Parked    State = "parked"
	Delivered State = "delivered"
	Dead      State = "dead"
	Cancelled State = "cancelled"
)

// Final reports whether an order in this state has left the queue.
func (s State) Final() bool { return s == Delivered || s == Dead || s == Cancelled }

// Outcome is what an attempt meant.
type Outcome string

// The outcomes of an attempt.
const (
	// OutcomeDelivered: the partner has the order.
	OutcomeDelivered Outcome = "delivered"
	// OutcomeRejected: the partner will never take this order.
	OutcomeRejected Outcome = "rejected"
	// OutcomeFailed: the partner answered that it could not, this time.
	OutcomeFailed Outcome = "failed"
	// OutcomeThrottled: the partner asked for fewer calls.
	OutcomeThrottled Outcome = "throttled"
	// OutcomeUnavailable: the partner was not reached.
	OutcomeUnavailable Outcome = "unavailable"
	// OutcomeUncertain: the order was sent and no answer came.
	OutcomeUncertain Outcome = "uncertain"
	// OutcomeUnauthorized: the partner refused our credentials.
	OutcomeUnauthorized Outcome = "unauthorized"
)

// Outcomes lists every outcome, for those who count them.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeDelivered, OutcomeRejected, OutcomeFailed, OutcomeThrottled,
		OutcomeUnavailable, OutcomeUncertain, OutcomeUnauthorized,
	}
}

// EntryID is the ID of a stream entry: milliseconds of Redis's clock and a
// sequence number. The zero value stands before every entry.
type EntryID struct {
	Ms, Seq uint64
}

// ParseEntryID reads the form MS-SEQ that Redis writes.
func ParseEntryID(s string) (EntryID, error) {
	ms, seq, ok := strings.Cut(s, "-")
	if !ok {
		return EntryID{}, fmt.Errorf("entry ID %q: want MS-SEQ", s)
	}
	m, err := strconv.ParseUint(ms, 10, 64)
	if err != nil {
		return EntryID{}, fmt.Errorf("entry ID %q: milliseconds: %w", s, err)
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return EntryID{}, fmt.Errorf("entry ID %q: sequence: %w", s, err)
	}
	return EntryID{Ms: m, Seq: n}, nil
}

// String gives the form that Redis reads: MS-SEQ.
func (e EntryID) String() string {
	return strconv.FormatUint(e.Ms, 10) + "-" + strconv.FormatUint(e.Seq, 10)
}

// MarshalText implements [encoding.TextMarshaler].
func (e EntryID) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (e *EntryID) UnmarshalText(b []byte) error {
	id, err := ParseEntryID(string(b))
	*e = id
	return err
}

// Compare orders entries as the stream does; the result is as of [cmp.Compare].
func (e EntryID) Compare(o EntryID) int {
	return cmp.Or(cmp.Compare(e.Ms, o.Ms), cmp.Compare(e.Seq, o.Seq))
}

// Time is when the entry was added, by Redis's wall clock.
func (e EntryID) Time() time.Time { return time.UnixMilli(int64(e.Ms)) }

// Before is the ID right before e: a page that goes on behind it begins with e.
func (e EntryID) Before() EntryID {
	switch {
	case e.Seq > 0:
		return EntryID{Ms: e.Ms, Seq: e.Seq - 1}
	case e.Ms > 0:
		return EntryID{Ms: e.Ms - 1, Seq: 1<<64 - 1}
	}
	return EntryID{}
}

// IsZero reports whether e is the ID before every entry.
func (e EntryID) IsZero() bool { return e == EntryID{} }
