package streamutil

import (
	"time"

	"github.com/redis/rueidis"
)

// LogEntry is one line of a queue's log: an attempt's outcome, an operator's
// act, or what the queue noticed about itself. Fields that a line has no use
// for are zero.
type LogEntry struct {
	// ID is the line's place in the log, Time when it was written.
	ID   EntryID
	Time time.Time
	// What happened: attempt, dead, breaker; reclaim, epoch, group; vanished,
	// found, due (after hands in Redis); pause, resume, pace, retry, cancel,
	// requeue, drop, purge, import.
	What string
	// OrderID and Entry are the order's.
	OrderID string
	Entry   EntryID
	// What an attempt meant, the state that it left the order in, the partner's
	// status. Of a breaker, an epoch or a group State is what became of that.
	Outcome  Outcome
	State    State
	Status   int
	Attempt  int
	Consumer string
	// Who did it and why, of operators' acts; Reason is why an order died, or the
	// queue paused itself.
	Who, Why, Reason string
	// Interval is of a pace; below 0 it was given back. For is how long a pause or
	// a pace lasts; 0 for without an end.
	Interval, For time.Duration
	// Orders is how many are gone, were purged or put in; Due and Dead are what a reclaim
	// made of a dead consumer's orders.
	Orders, Due, Dead int64
}

func logEntry(e rueidis.XRangeEntry) LogEntry {
	id, _ := ParseEntryID(e.ID) // Redis wrote it
	f := e.FieldValues
	l := LogEntry{
		ID: id, Time: id.Time(), What: f["what"], OrderID: f["order"], Outcome: Outcome(f["outcome"]),
		State: State(f["state"]), Status: atoi(f["status"]), Attempt: atoi(f["attempt"]), Consumer: f["consumer"],
		Who: f["who"], Why: f["why"], Reason: f["reason"],
		Interval: time.Duration(count(f["interval"])) * time.Microsecond, For: time.Duration(count(f["ms"])) * time.Millisecond,
		Orders: count(f["orders"]), Due: count(f["due"]), Dead: count(f["dead"]),
	}
	l.Entry, _ = ParseEntryID(f["entry"]) // zero without one
	return l
}

// lastError finds, in lines from the newest on, the last attempt that did not deliver.
func lastError(lines []rueidis.XRangeEntry) *LogEntry {
	for _, line := range lines {
		if e := logEntry(line); e.What == "attempt" && e.Outcome != OutcomeDelivered {
			return &e
		}
	}
	return nil
}
