package ops

import (
	"fmt"
	"time"

	"orderq/streamutil"
)

// storyLines shows a story as a person reads it: what is, what comes, what was.
func (c *change) storyLines(d story, queue streamutil.Snapshot) [][]string {
	lines := [][]string{{"order", orNone(text(d.OrderID))}, {"state", d.stateText()}, {"next", d.Next}}
	add := func(name, value string) {
		if value != "" && value != "-" {
			lines = append(lines, []string{name, value})
		}
	}
	if d.EntryID != nil {
		add("entry", d.EntryID.String())
	}
	add("accepted", c.ago(d.AcceptedAt, queue.Time))
	add("finished", c.ago(d.FinishedAt, queue.Time))
	add("attempts", d.attemptsText())
	if d.Attempts > 0 {
		add("last taken", c.ago(d.TakenAt, queue.Time))
	}
	add("last answer", d.answerText())
	if d.Consumer != nil {
		health := "alive"
		if !*d.ConsumerAlive {
			health = "DEAD"
		}
		add("held by", *d.Consumer+", "+health)
	}
	if d.LetterID != nil {
		add("dead letter", d.LetterID.String())
	}
	if d.Body != nil {
		add("body", *d.Body)
	}
	title := "log"
	for _, l := range d.Log {
		lines = append(lines, []string{title, c.moment(l.At.Local()) + "  " + l.Text})
		title = ""
	}
	return lines
}

func (v view) ago(t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return fmt.Sprintf("%s (%s ago)", v.local(t), span(now.Sub(*t)))
}

func (d story) stateText() string {
	switch {
	case d.State == nil:
		return "not known: its record has expired"
	case d.Stray:
		return string(*d.State) + ", an entry added by hand beside the order's own"
	case d.Cause != nil:
		return string(*d.State) + ": " + *d.Cause
	}
	return string(*d.State)
}

func (d story) attemptsText() string {
	text := fmt.Sprint(d.Attempts)
	if d.AttemptsEarlier > 0 {
		text += fmt.Sprintf(", and %d before it was sent again", d.AttemptsEarlier)
	}
	if d.Strikes > 0 {
		text += ", " + several(d.Strikes, "strike") + " against the order itself"
	}
	if d.Deaths > 0 {
		text += fmt.Sprintf(", its consumer died %d times", d.Deaths)
	}
	return text
}

func (d story) answerText() string {
	parts := ""
	if d.LastOutcome != nil {
		parts = string(*d.LastOutcome)
	}
	if d.LastStatus != nil {
		parts += fmt.Sprintf(" %d", *d.LastStatus)
	}
	if d.LastAnswer != nil {
		parts += ": " + *d.LastAnswer
	}
	return parts
}
