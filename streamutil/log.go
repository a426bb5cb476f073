package streamutil

import (
	"time"

	"github.com/redis/rueidis"
)

// LogEntry is one line of a queue's log: an attempt's outcome, an operator's
// act, or what the queue noticed about itself.
type LogEntry struct {
	Time time.Time
	// What happened: attempt, dead, breaker; reclaim, epoch, group; vanished,
	// found, due (after hands in Redis); pause, resume, pace, retry, cancel,
	// requeue, drop.
	What     string
	OrderID  string
	Outcome  Outcome
	State    State
	Status   int
	Attempt  int
	Consumer string
}

func logEntry(e rueidis.XRangeEntry) LogEntry {
	id, _ := ParseEntryID(e.ID) // Redis wrote it
	f := e.FieldValues
	return LogEntry{
		Time: id.Time(), What: f["what"], OrderID: f["order"], Outcome: Outcome(f["outcome"]),
		State: State(f["state"]), Status: atoi(f["status"]), Attempt: atoi(f["attempt"]), Consumer: f["consumer"],
	}
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
