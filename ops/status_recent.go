package ops

import (
	"context"
	"fmt"
	"time"

	"orderq/streamutil"
)

const (
	// recentSpan is how far back status counts what was delivered, recentPages
	// how many pages of the log it looks through for that and the last delivery.
	recentSpan  = time.Minute
	recentPages = 4
)

// recent is what the log tells of the last minute.
type recent struct {
	// Seconds is how far back the counts reach: a minute, or less if the log does
	// not tell of more.
	Seconds float64 `json:"seconds"`
	// Delivered and Failed count attempts; Failed those that did not deliver.
	Delivered       int        `json:"delivered"`
	Failed          int        `json:"failed"`
	LastDeliveredAt *time.Time `json:"last_delivered_at"`
}

// readRecent looks back through the log, no further than a few pages.
func readRecent(ctx context.Context, q *streamutil.Queue, now time.Time) (recent, error) {
	r := recent{Seconds: seconds(recentSpan)}
	var before streamutil.EntryID
	for range recentPages {
		page, err := q.LogBack(ctx, before, streamutil.LogPage)
		if err != nil {
			return r, err
		}
		for _, l := range page {
			r.add(l, now)
			before = l.ID
		}
		past := len(page) < streamutil.LogPage || now.Sub(before.Time()) > recentSpan
		if past && (r.LastDeliveredAt != nil || len(page) < streamutil.LogPage) {
			return r, nil
		}
	}
	r.Seconds = min(r.Seconds, seconds(now.Sub(before.Time())))
	return r, nil
}

func (r *recent) add(l streamutil.LogEntry, now time.Time) {
	if l.What != "attempt" {
		return
	}
	delivered := l.Outcome == streamutil.OutcomeDelivered
	if delivered && r.LastDeliveredAt == nil {
		r.LastDeliveredAt = knownTime(l.Time)
	}
	switch {
	case now.Sub(l.Time) > recentSpan:
	case delivered:
		r.Delivered++
	default:
		r.Failed++
	}
}

func (v view) recentText(r recent, now time.Time) string {
	period := "last minute"
	if r.Seconds < recentSpan.Seconds() {
		period = "last " + span(time.Duration(r.Seconds*float64(time.Second)))
	}
	text := fmt.Sprintf("%s %d delivered, %d failed; last delivery ", period, r.Delivered, r.Failed)
	if r.LastDeliveredAt == nil {
		return text + "not in the log"
	}
	return text + v.ago(r.LastDeliveredAt, now)
}

// overview is what status tells of.
type overview struct {
	streamutil.Snapshot
	queue, redis string
	recent       recent
}

// statusDoc is all that status -o json shows.
type statusDoc struct {
	status
	// At is Redis's wall clock.
	At    time.Time `json:"at"`
	Redis string    `json:"redis"`
	// PaceOverride is an operator's pace in place of BasePace, the consumers' own.
	PaceOverride *override `json:"pace_override"`
	BasePace     *string   `json:"base_pace"`
	Recent       recent    `json:"recent"`
}

func (o overview) document() statusDoc {
	pace := newPaceView(o.queue, o.Snapshot)
	return statusDoc{
		status: newStatus(o.queue, o.Snapshot), At: o.Time.UTC(), Redis: o.redis,
		PaceOverride: pace.Override, BasePace: pace.BasePace, Recent: o.recent,
	}
}

// paceText says the pace in force, and who set it, why, until when and instead
// of what.
func (v view) paceText(s streamutil.Snapshot) string {
	p := newPaceView("", s)
	if p.Pace == nil {
		return "not known until a consumer has run"
	}
	text, o := *p.Pace, p.Override
	if o == nil {
		return text
	}
	text += ", set by " + orNone(o.By)
	if o.Until != nil {
		text += fmt.Sprintf(" for another %s, until %s", span(o.Until.Sub(s.Time)), v.local(o.Until))
	}
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	if p.BasePace != nil {
		text += " (the consumers' own: " + *p.BasePace + ")"
	}
	return text
}
