package producer

import (
	"context"
	"net/http"
	"time"

	"orderq/streamutil"
)

// timeForm is RFC 3339 in UTC to the millisecond, which is what Redis knows.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// status says where an order is. All keys are always present; null is "not
// (yet)" or "not known".
type status struct {
	OrderID     string             `json:"order_id"`
	EntryID     streamutil.EntryID `json:"entry_id"`
	State       streamutil.State   `json:"state"`
	Position    *int64             `json:"position"`
	EstimatedAt *string            `json:"estimated_at"`
	Attempts    int                `json:"attempts"`
	LastAnswer  *answer            `json:"last_answer"`
	AcceptedAt  *string            `json:"accepted_at"`
	TakenAt     *string            `json:"taken_at"`
	DueAt       *string            `json:"due_at"`
	FinishedAt  *string            `json:"finished_at"`
}

// answer is what the last attempt came to.
type answer struct {
	Outcome streamutil.Outcome `json:"outcome"`
	Status  *int               `json:"status"` // HTTP; null if there was no answer
	// Text is how the partner's answer begins. It is not meant for the public:
	// null unless a token with the scope cancel asks.
	Text *string `json:"text"`
}

// lookup is GET /v1/orders/{id}.
func (h *Handler) lookup(w http.ResponseWriter, r *http.Request, who caller) *problem {
	id := r.PathValue("id")
	if !validOrderID(id) {
		return problemOf(streamutil.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	rec, err := h.queue.Lookup(ctx, id)
	h.countTrouble(err)
	if err != nil {
		return problemOf(err)
	}
	s := statusOf(rec)
	if s.LastAnswer != nil && who.name != "" && who.may(scopeCancel) {
		s.LastAnswer.Text = &rec.LastAnswer
	}
	writeJSON(w, http.StatusOK, typeJSON, s)
	return nil
}

func statusOf(rec streamutil.Record) status {
	position, estimate := place(rec.Place)
	s := status{
		OrderID: rec.OrderID, EntryID: rec.Entry, State: rec.State,
		Position: position, EstimatedAt: estimate, Attempts: rec.Attempts,
		AcceptedAt: moment(rec.Accepted), TakenAt: moment(rec.Taken),
		DueAt: moment(rec.Due), FinishedAt: moment(rec.Finished),
	}
	if rec.LastOutcome != "" {
		s.LastAnswer = &answer{Outcome: rec.LastOutcome}
		if rec.LastStatus != 0 {
			s.LastAnswer.Status = &rec.LastStatus
		}
	}
	return s
}

// place gives what a client is told of a place in the queue: its number and
// when its call is likely to start, each null if there is none or none known.
func place(p streamutil.Place) (position *int64, estimate *string) {
	if p.Position > 0 {
		position = &p.Position
	}
	if p.Known {
		estimate = moment(p.At)
	}
	return position, estimate
}

// moment writes a time for clients; the zero time is null.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(timeForm)
	return &s
}
