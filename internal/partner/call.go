package partner

import (
	"net/http"
	"strconv"
	"time"

	"orderq/internal/testhook"
)

// StartHeader carries, in tests only, when the sender started the call by its
// own clock.
const StartHeader = testhook.StampHeader

// Call is one request as the partner saw it. Times are readings of [Now].
type Call struct {
	// Seq numbers the calls in the order of their arrival, from 1.
	Seq int
	// OrderID, Attempt and Key are the headers X-Order-Id, X-Attempt (0 if it
	// is no number) and Idempotency-Key.
	OrderID string
	Attempt int
	Key     string
	// BodySHA is the SHA-256 of the body, in hex.
	BodySHA string
	// Sent is the sender's own stamp, by its own clock; 0 without one.
	Sent int64
	// Arrived is when the request's headers had been read.
	Arrived int64
	// Ended is when the answer was handed to the connection or the client was
	// seen to be gone; 0 while the call runs.
	Ended int64
	// Status is what was answered; 0 if nothing was.
	Status int
	// HungUp: the client was gone before it had an answer.
	HungUp bool

	// Header and Body are the request's.
	Header http.Header
	Body   []byte
}

// Accepted reports whether the partner took the order with this call.
func (c Call) Accepted() bool { return c.Status >= 200 && c.Status < 300 }

// Start is when the call began: the sender's stamp, or else its arrival.
func (c Call) Start() int64 {
	if c.Sent != 0 {
		return c.Sent
	}
	return c.Arrived
}

// Took is how long the call ran at the partner; 0 while it runs.
func (c Call) Took() time.Duration { return max(0, time.Duration(c.Ended-c.Arrived)) }

func newCall(r *http.Request) Call {
	attempt, _ := strconv.Atoi(r.Header.Get("X-Attempt"))
	sent, _ := strconv.ParseInt(r.Header.Get(StartHeader), 10, 64)
	return Call{
		OrderID: r.Header.Get("X-Order-Id"),
		Attempt: attempt,
		Key:     r.Header.Get("Idempotency-Key"),
		Sent:    sent,
		Arrived: Now(),
		Header:  r.Header.Clone(),
	}
}
