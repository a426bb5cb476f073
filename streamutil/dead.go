package streamutil

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// Why an order was set aside. The outcome that made it a dead letter is a
// reason as well: rejected; failed, unavailable or uncertain after too many
// strikes; uncertain at once, where that was asked for.
const (
	// ReasonPoison: its consumers died while they had it, [MaxDeaths] times.
	ReasonPoison = "poison"
	// ReasonUndecodable: the entry is no order.
	ReasonUndecodable = "undecodable"
	// ReasonDuplicate: an entry added by hand beside the order's own.
	ReasonDuplicate = "duplicate"
)

// DeadLetter is an order set aside for a person.
type DeadLetter struct {
	// ID is the letter's own place among the dead letters.
	ID EntryID
	// OrderID and Body are the order's; of an undecodable entry what there was.
	OrderID string
	Body    []byte
	// Reason is why it was set aside: an outcome or one of the Reason constants.
	Reason string
	// Status and Answer are the partner's last; 0 and empty without one.
	Status   int
	Answer   string
	Attempts int
	// Entry is where the order was in the stream.
	Entry EntryID
	// Raw is, of an undecodable entry, all that was in it, in JSON.
	Raw string
}

// Time is when the order was set aside, by Redis's wall clock.
func (l DeadLetter) Time() time.Time { return l.ID.Time() }

// Cause names what went wrong, alike for letters that went wrong alike: the
// reason, and the HTTP status where there is one, as in "rejected 422".
func (l DeadLetter) Cause() string {
	if l.Status == 0 {
		return l.Reason
	}
	return l.Reason + " " + strconv.Itoa(l.Status)
}

// DeadLetters lists up to limit dead letters after the given one, oldest first
// (XRANGE); from the first if that is zero.
//
// Errors: [ErrUnavailable].
func (q *Queue) DeadLetters(ctx context.Context, after EntryID, limit int) ([]DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("list dead letters", err)
	}
	entries, err := rdb.Do(ctx, rdb.B().Xrange().Key(q.keys.dead).Start("("+after.String()).End("+").Count(int64(limit)).Build()).AsXRange()
	if err != nil {
		return nil, wrap("list dead letters", err)
	}
	letters := make([]DeadLetter, 0, len(entries))
	for _, e := range entries {
		letters = append(letters, deadLetter(e))
	}
	return letters, nil
}

func deadLetter(e rueidis.XRangeEntry) DeadLetter {
	f := e.FieldValues
	l := DeadLetter{
		OrderID: f["id"], Body: []byte(f["body"]), Reason: f["reason"], Status: atoi(f["status"]), Answer: f["answer"],
		Attempts: atoi(f["attempts"]), Raw: f["raw"],
	}
	l.ID, _ = ParseEntryID(e.ID) // Redis wrote it
	l.Entry, _ = ParseEntryID(f["entry"])
	return l
}
