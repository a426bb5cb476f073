package ops

import (
	"cmp"
	"fmt"
	"strings"

	"orderq/streamutil"
)

// nextStep says what comes next to an order, and the command for it where a
// person has to see to it.
func (c *change) nextStep(s streamutil.Story, queue streamutil.Snapshot) string {
	id := quoted(cmp.Or(s.OrderID, s.Entry.String()))
	switch s.State {
	case streamutil.Waiting:
		return c.waitingNext(s, queue)
	case streamutil.Parked:
		text := "waits for " + c.waitsFor(heldOf(s), queue)
		if heldOf(s).Due > 0 {
			text += fmt.Sprintf("; %s retry %s sends it at once", c.again, id)
		}
		return text
	case streamutil.InFlight:
		return "waits for " + c.waitsFor(heldOf(s), queue)
	case streamutil.Dead:
		if s.Letter == nil {
			return "nothing: a person has dropped its dead letter"
		}
		return c.letterNext(*s.Letter)
	case streamutil.Delivered:
		return "nothing: the partner has it"
	case streamutil.Cancelled:
		if by := s.Record.PurgedBy; by != "" {
			return strings.TrimSuffix("nothing: it was purged from the queue by "+by+": "+s.Record.PurgedWhy, ": ")
		}
		return "nothing: it was cancelled, and is not sent any more"
	default:
		return "nothing is known of it but what the log tells"
	}
}

// heldOf is the order as it stands in the stream. Between two looks it may have
// left that; then the record says where it was.
func heldOf(s streamutil.Story) streamutil.Listed {
	if s.Held != nil {
		return *s.Held
	}
	return streamutil.Listed{OrderID: s.OrderID, State: s.State, ConsumerAlive: true}
}

func (c *change) waitingNext(s streamutil.Story, queue streamutil.Snapshot) string {
	o := heldOf(s)
	if s.Record != nil {
		o.Place = s.Record.Place
	}
	text := "waits for " + c.place(o.Place, queue)
	if queue.State != streamutil.QueueRunning && queue.State != streamutil.QueueIdle {
		text += "; but the queue is " + stateText(queue)
	}
	return text
}

// letterNext says what a person can do with a dead letter.
func (c *change) letterNext(d streamutil.DeadLetter) string {
	id := quoted(d.OrderID)
	since := "dead since " + c.moment(d.Time()) + ", " + cmp.Or(d.Cause(), "why is not known")
	switch {
	case d.Reason == streamutil.ReasonUndecodable || d.OrderID == "":
		return fmt.Sprintf("%s: it is no order that could be sent; %s dead drop %s removes it", since, c.again, d.ID)
	case d.Reason == streamutil.ReasonDuplicate:
		return fmt.Sprintf("%s: the order itself lives on; %s dead drop %s removes this", since, c.again, d.ID)
	}
	return fmt.Sprintf("%s: %s dead requeue %s sends it again, %s dead drop %s gives it up", since, c.again, id, c.again, id)
}
