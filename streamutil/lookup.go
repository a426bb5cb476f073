package streamutil

import (
	"context"
	"strconv"
	"time"
)

// Record is what the queue knows about one order.
type Record struct {
	OrderID string
	Entry   EntryID
	State   State
	Place   Place
	// Attempts counts the calls handed out for it, Sent those of before it was
	// requeued. Strikes are attempts that speak against the order itself, Deaths
	// the consumers that died while they had it.
	Attempts, Sent, Strikes, Deaths int
	// Moments by Redis's wall clock; zero if it has not come to that. Taken is
	// when the last attempt was handed out, Due when a parked order's wait ends.
	Accepted, Taken, Due, Finished time.Time
	// What the last finished attempt meant, its HTTP status (0 without an
	// answer) and the start of the partner's answer.
	LastOutcome Outcome
	LastStatus  int
	LastAnswer  string
	// Consumer is who has it in flight.
	Consumer string
	// PurgedBy and PurgedWhy are of a purge that cancelled it.
	PurgedBy, PurgedWhy string
}

// Lookup tells where an order is. The error is [ErrNotFound] if it was never
// accepted or its record has expired; or matches [ErrUnavailable].
func (q *Queue) Lookup(ctx context.Context, orderID string) (Record, error) {
	r, err := q.run(ctx, lookupScript, false, orderID)
	if err != nil {
		return Record{}, err
	}
	if r.text() == "none" {
		return Record{}, ErrNotFound
	}
	state := State(r.text())
	fields := r.strings()
	due := r.millis()
	rec := Record{
		OrderID: orderID, State: state, Place: r.outlook().place(count(fields["seq"])),
		Attempts: atoi(fields["attempts"]), Sent: atoi(fields["sent"]), Strikes: atoi(fields["strikes"]),
		Deaths: atoi(fields["deaths"]), LastStatus: atoi(fields["status"]),
		PurgedBy: fields["purged_by"], PurgedWhy: fields["purged_why"],
		LastOutcome: Outcome(fields["outcome"]), LastAnswer: fields["answer"],
		Accepted: moment(fields["accepted"]), Taken: moment(fields["taken"]), Finished: moment(fields["finished"]),
	}
	if err := r.done(); err != nil {
		return Record{}, err
	}
	if due >= 0 {
		rec.Due = time.Now().Add(due)
	}
	if state == InFlight {
		rec.Consumer = fields["consumer"]
	}
	rec.Entry, _ = ParseEntryID(fields["entry"]) // zero if someone wrote over it
	return rec, nil
}

// atoi reads a number that may be absent.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// moment reads milliseconds of a wall clock that may be absent.
func moment(ms string) time.Time {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n)
}
