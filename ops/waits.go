package ops

import (
	"fmt"

	"orderq/streamutil"
)

// waitsFor says what has to happen next to an order that is not finished, or
// that a person has to see to.
func (v view) waitsFor(o streamutil.Listed, queue streamutil.Snapshot) string {
	stopped := queue.State != streamutil.QueueRunning && queue.Reason != ""
	switch {
	case o.State == streamutil.Dead:
		return "a person, who sends it again or drops it"
	case o.State.Final():
		return "-"
	case o.State == streamutil.Waiting && stopped:
		return fmt.Sprintf("the queue, which is %s; then its place %d", queue.State, o.Place.Position)
	case o.State == streamutil.Waiting:
		return v.place(o.Place, queue)
	case o.State == streamutil.Parked && o.Due == 0 && stopped:
		return "the queue, which is " + string(queue.State)
	case o.State == streamutil.Parked && o.Due > 0:
		return "its next attempt, due in " + span(o.Due)
	case o.State == streamutil.Parked:
		return "a slot"
	case o.ConsumerAlive:
		return "the partner's answer"
	}
	return "the lease of its dead consumer; then it is taken back"
}

// place says where a waiting order stands, and about when it is sent.
func (v view) place(p streamutil.Place, queue streamutil.Snapshot) string {
	text := fmt.Sprintf("its place %d", p.Position)
	if p.Known {
		text += ", about " + v.about(p.At, queue.Time)
	}
	return text
}
