package ops

import (
	"fmt"
	"time"

	"orderq/streamutil"
)

// listRow is what list -o json shows; scripts rely on its keys.
type listRow struct {
	EntryID       *streamutil.EntryID `json:"entry_id"`
	OrderID       string              `json:"order_id"`
	State         streamutil.State    `json:"state"`
	AcceptedAt    *time.Time          `json:"accepted_at"`
	FinishedAt    *time.Time          `json:"finished_at"`
	Attempts      int                 `json:"attempts"`
	LastOutcome   *streamutil.Outcome `json:"last_outcome"`
	LastStatus    *int                `json:"last_status"`
	Cause         *string             `json:"cause"`
	Position      *int64              `json:"position"`
	EstimatedAt   *time.Time          `json:"estimated_at"`
	DueSeconds    *float64            `json:"due_seconds"`
	Consumer      *string             `json:"consumer"`
	ConsumerAlive *bool               `json:"consumer_alive"`
	WaitsFor      string              `json:"waits_for"`
	Body          *string             `json:"body,omitempty"`
}

func newListRow(v view, o streamutil.Listed, queue streamutil.Snapshot) listRow {
	row := listRow{
		EntryID: known(o.Entry), OrderID: o.OrderID, State: o.State, AcceptedAt: knownTime(o.Accepted),
		FinishedAt: knownTime(o.Finished), Attempts: o.Attempts, LastOutcome: known(o.LastOutcome), LastStatus: known(o.LastStatus),
		Cause: known(o.Reason), Position: known(o.Place.Position), Consumer: known(o.Consumer), WaitsFor: v.waitsFor(o, queue),
	}
	if o.Place.Known {
		row.EstimatedAt = knownTime(o.Place.At)
	}
	if o.State == streamutil.Parked {
		row.DueSeconds = new(seconds(o.Due))
	}
	if o.State == streamutil.InFlight {
		row.ConsumerAlive = new(o.ConsumerAlive)
	}
	if v.body && o.Body != nil {
		row.Body = new(string(o.Body))
	}
	return row
}

func listHeadings(v view, state streamutil.State) []string {
	list := []string{"ENTRY", "ORDER", "STATE", "ACCEPTED", "ATTEMPTS"}
	if state.Final() {
		list = append(list, "FINISHED", "LAST")
	} else {
		list = append(list, "WAITS FOR")
	}
	if v.body {
		list = append(list, "BODY")
	}
	return list
}

func (r listRow) cells(v view) []string {
	entry := "-"
	if r.EntryID != nil {
		entry = r.EntryID.String()
	}
	cells := []string{entry, orNone(r.OrderID), string(r.State), v.local(r.AcceptedAt), fmt.Sprint(r.Attempts)}
	if r.State.Final() {
		cells = append(cells, v.local(r.FinishedAt), r.last())
	} else {
		cells = append(cells, r.WaitsFor)
	}
	if v.body {
		cells = append(cells, orNone(text(r.Body)))
	}
	return cells
}

// last says what the last attempt meant: failed 500.
func (r listRow) last() string {
	switch {
	case r.Cause != nil:
		return *r.Cause
	case r.LastOutcome == nil:
		return "-"
	case r.LastStatus == nil:
		return string(*r.LastOutcome)
	}
	return fmt.Sprintf("%s %d", *r.LastOutcome, *r.LastStatus)
}

// local shows a moment that JSON has in UTC as tables do.
func (v view) local(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return v.moment(t.Local())
}
