package ops

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"orderq/streamutil"
)

// logText says a line of the log in plain words.
func logText(l streamutil.LogEntry) string {
	switch l.What {
	case "attempt":
		return attemptText(l)
	case "dead":
		return fmt.Sprintf("order %s is dead: %s", orNone(l.OrderID), orNone(l.Reason))
	case "breaker", "epoch", "group", "due", "reclaim", "vanished", "found":
		return noticeText(l)
	}
	return actText(l)
}

func attemptText(l streamutil.LogEntry) string {
	text := fmt.Sprintf("order %s, attempt %d: %s", orNone(l.OrderID), l.Attempt, l.Outcome)
	if l.Status > 0 {
		text += fmt.Sprintf(", answer %d", l.Status)
	}
	if string(l.State) != string(l.Outcome) {
		text += "; now " + string(l.State)
	}
	return text + by(l.Consumer)
}

// noticeText is of what the queue noticed about itself.
func noticeText(l streamutil.LogEntry) string {
	switch l.What {
	case "breaker":
		return breakerText(string(l.State))
	case "epoch":
		if l.State == "open" {
			return "Redis restarted, failed over or lost keys; nothing was in flight, and sending goes on"
		}
		return "Redis restarted, failed over or lost keys; nobody sends until calls that it may have forgotten have ended"
	case "group":
		return "the consumer group was gone and was created again"
	case "due":
		return "the index of due times was deleted or changed by hand, and was made again"
	case "reclaim":
		return fmt.Sprintf("consumer %s is dead: %s of it due again, %d dead", orNone(l.Consumer), several(int(l.Due), "order"), l.Dead)
	case "found":
		return fmt.Sprintf("order %s (entry %s) was taken from its consumer by hand, and was found again", orNone(l.OrderID), l.Entry)
	}
	if l.Orders > 0 {
		return several(int(l.Orders), "waiting order") + " were deleted by hand"
	}
	return fmt.Sprintf("entry %s was deleted by hand after it was taken", l.Entry)
}

func breakerText(state string) string {
	switch state {
	case "open":
		return "nobody gets through to the partner: the queue holds, and tries one order at a time"
	case "closed":
		return "the partner is there again: the queue goes on"
	}
	return "a probe did not get through to the partner: the queue holds on"
}

// actText is of what operators did. A kind of line that is not known, as a hand
// may have written it, is shown as it is.
func actText(l streamutil.LogEntry) string {
	var text string
	switch l.What {
	case "pause":
		if l.Reason == "credentials" {
			return "the queue paused itself: the partner refuses our credentials"
		}
		text = "paused" + forText(l.For)
	case "resume":
		text = "resumed"
	case "pace":
		text = "pace reset"
		if l.Interval >= 0 {
			text = "pace " + streamutil.Every(l.Interval).String() + forText(l.For)
		}
	case "retry":
		text = "order " + orNone(l.OrderID) + " retried"
	case "cancel":
		text = "order " + orNone(l.OrderID) + " cancelled"
		if l.Attempt > 0 {
			text += fmt.Sprintf(" after %s", several(l.Attempt, "attempt"))
		}
	case "requeue":
		text = "dead order " + orNone(l.OrderID) + " sent again"
		if !l.Entry.IsZero() {
			text += " as " + l.Entry.String()
		}
	case "drop":
		text = "dead letter of order " + orNone(l.OrderID) + " dropped"
		if l.State == streamutil.Delivered {
			text += " as delivered"
		}
	case "purge":
		text = "purge ended: " + several(int(l.Orders), "order") + " cancelled"
		if l.State == "begun" {
			text = "purge of " + several(int(l.Orders), "order") + " begins"
		}
	case "import":
		text = "import ended: " + several(int(l.Orders), "order") + " put in"
		if l.State == "begun" {
			text = "import of " + several(int(l.Orders), "order") + " begins"
		}
	default:
		text = strings.TrimSpace(cmp.Or(l.What, "?") + " " + l.OrderID)
	}
	text += by(l.Who)
	if l.Why != "" {
		text += ": " + l.Why
	}
	return text
}

func forText(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return " for " + span(d)
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return ", by " + name
}

// logLine is what tail and show show of a line in JSON; scripts rely on its keys.
type logLine struct {
	ID         streamutil.EntryID  `json:"id"`
	At         time.Time           `json:"at"`
	What       string              `json:"what"`
	Text       string              `json:"text"`
	OrderID    *string             `json:"order_id"`
	EntryID    *streamutil.EntryID `json:"entry_id"`
	Outcome    *streamutil.Outcome `json:"outcome"`
	State      *streamutil.State   `json:"state"`
	Status     *int                `json:"status"`
	Attempt    *int                `json:"attempt"`
	Consumer   *string             `json:"consumer"`
	Who        *string             `json:"who"`
	Why        *string             `json:"why"`
	Reason     *string             `json:"reason"`
	Pace       *string             `json:"pace"`
	ForSeconds *float64            `json:"for_seconds"`
	Orders     *int64              `json:"orders"`
}

func newLogLine(l streamutil.LogEntry) logLine {
	line := logLine{
		ID: l.ID, At: l.Time.UTC(), What: l.What, Text: logText(l), OrderID: known(l.OrderID), EntryID: known(l.Entry),
		Outcome: known(l.Outcome), State: known(l.State), Status: known(l.Status), Attempt: known(l.Attempt),
		Consumer: known(l.Consumer), Who: known(l.Who), Why: known(l.Why), Reason: known(l.Reason),
		ForSeconds: known(seconds(l.For)), Orders: known(l.Orders + l.Due + l.Dead),
	}
	if l.What == "pace" && l.Interval >= 0 {
		line.Pace = new(streamutil.Every(l.Interval).String())
	}
	return line
}

func (l logLine) cells(v view) []string { return []string{v.moment(l.At.Local()), l.Text} }
