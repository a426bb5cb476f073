package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newShowCommand(open Open) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show an order's whole story, and what comes next",
		Long: "ID is an order's id, or an entry or a dead letter of it (MS-SEQ). Shows where the\n" +
			"order is and what it waits for, its attempts and the partner's last answer, who has\n" +
			"it, and what the log tells of it: each attempt, and what operators did and why. An\n" +
			"order that is finished is known for queue.retention (72 h unless configured). What\n" +
			"was sent is shown with --body.",
		Example:           "  orderq show A-1001\n  orderq show 1700000000000-0\n  orderq show A-1001 -o json | jq '.log[].text'",
		Args:              oneID,
		ValidArgsFunction: completeKnown(open),
		RunE: func(cmd *cobra.Command, args []string) error {
			return look(cmd, open, func(ctx context.Context, c *change) error { return c.showOrder(ctx, args[0]) })
		},
	}
}

func (c *change) showOrder(ctx context.Context, id string) error {
	s, err := c.queue.Story(ctx, id) // many pages: each has its own time
	if errors.Is(err, streamutil.ErrNotFound) {
		return &exit{code: exitNotFound, text: fmt.Sprintf(
			"%s is not found in queue %s: it was never accepted, or it was finished longer than the retention ago, and the log tells nothing of it any more",
			printable(id), c.queue.Name())}
	}
	if err != nil {
		return advised(ctx, c.queue, err)
	}
	queue, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	doc := c.newStory(s, queue)
	return c.show(doc, c.storyLines(doc, queue))
}

// story is what show -o json shows; scripts rely on its keys.
type story struct {
	OrderID         *string             `json:"order_id"`
	EntryID         *streamutil.EntryID `json:"entry_id"`
	State           *streamutil.State   `json:"state"`
	Next            string              `json:"next"`
	AcceptedAt      *time.Time          `json:"accepted_at"`
	TakenAt         *time.Time          `json:"taken_at"`
	FinishedAt      *time.Time          `json:"finished_at"`
	Position        *int64              `json:"position"`
	EstimatedAt     *time.Time          `json:"estimated_at"`
	DueSeconds      *float64            `json:"due_seconds"`
	Attempts        int                 `json:"attempts"`
	AttemptsEarlier int                 `json:"attempts_before_requeue"`
	Strikes         int                 `json:"strikes"`
	Deaths          int                 `json:"consumer_deaths"`
	LastOutcome     *streamutil.Outcome `json:"last_outcome"`
	LastStatus      *int                `json:"last_status"`
	LastAnswer      *string             `json:"last_answer"`
	Consumer        *string             `json:"consumer"`
	ConsumerAlive   *bool               `json:"consumer_alive"`
	LetterID        *streamutil.EntryID `json:"letter_id"`
	Cause           *string             `json:"cause"`
	Stray           bool                `json:"stray"`
	Log             []logLine           `json:"log"`
	Body            *string             `json:"body,omitempty"`
}

func (c *change) newStory(s streamutil.Story, queue streamutil.Snapshot) story {
	doc := story{
		OrderID: known(s.OrderID), EntryID: known(s.Entry), State: known(s.State), Next: c.nextStep(s, queue),
		Stray: s.Stray, Log: make([]logLine, 0, len(s.Lines)),
	}
	if s.Record != nil {
		doc.record(*s.Record)
	} else if !s.Entry.IsZero() {
		doc.AcceptedAt = knownTime(s.Entry.Time())
	}
	if s.Held != nil {
		doc.held(*s.Held)
	}
	if l := s.Letter; l != nil {
		doc.LetterID, doc.Cause, doc.FinishedAt = &l.ID, known(l.Cause()), knownTime(l.Time())
		if s.Record == nil {
			doc.Attempts, doc.LastStatus, doc.LastAnswer = l.Attempts, known(l.Status), known(l.Answer)
		}
	}
	for _, l := range s.Lines {
		doc.Log = append(doc.Log, newLogLine(l))
	}
	if c.body && s.Body != nil {
		doc.Body = new(string(s.Body))
	}
	return doc
}

func (d *story) record(r streamutil.Record) {
	d.AcceptedAt, d.TakenAt, d.FinishedAt = knownTime(r.Accepted), knownTime(r.Taken), knownTime(r.Finished)
	d.Attempts, d.AttemptsEarlier, d.Strikes, d.Deaths = r.Attempts, r.Sent, r.Strikes, r.Deaths
	d.LastOutcome, d.LastStatus, d.LastAnswer = known(r.LastOutcome), known(r.LastStatus), known(r.LastAnswer)
	d.Position = known(r.Place.Position)
	if r.Place.Known {
		d.EstimatedAt = knownTime(r.Place.At)
	}
}

func (d *story) held(o streamutil.Listed) {
	switch o.State {
	case streamutil.Parked:
		d.DueSeconds = new(seconds(o.Due))
	case streamutil.InFlight:
		d.Consumer, d.ConsumerAlive = known(o.Consumer), new(o.ConsumerAlive)
	default:
	}
}
