package ops

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// watchEvery is how often status -w looks again.
const watchEvery = time.Second

func newStatusCommand(open Open) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the queue is doing, and why nothing moves",
		Long: "One screen: the state and its reason, the pace, what waits, what is in flight,\n" +
			"parked or dead, how old the oldest order is, when the backlog is through, the\n" +
			"consumers, and the last error.",
		Example: "  orderq status\n  orderq status -w\n  orderq status -o json | jq .waiting",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			desk, err := open()
			if err != nil {
				return err
			}
			defer desk.Close()
			if watch {
				return watchStatus(cmd.Context(), desk.Queue, viewOf(cmd))
			}
			o, err := see(cmd.Context(), desk.Queue)
			if err != nil {
				return err
			}
			return viewOf(cmd).status(o)
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "look again every second, until Ctrl-C")
	return cmd
}

// watchStatus looks again and again. Trouble with Redis does not end it, and is said
// on stderr when it begins, or becomes another: what was shown last stays.
func watchStatus(ctx context.Context, q *streamutil.Queue, v view) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for trouble := ""; ; {
		o, err := see(ctx, q)
		if ctx.Err() != nil {
			return nil
		}
		was := trouble
		if trouble = kindOfTrouble(err); trouble != "" && trouble != was {
			fmt.Fprintf(v.errs, "%s; looking again every second\n", printable(err.Error()))
		}
		if trouble == "" {
			if was != "" {
				fmt.Fprintf(v.errs, "%s answers again\n", q.Redis())
			}
			if v.format == "table" && isTerminal(v.out) {
				fmt.Fprint(v.out, "\x1b[H\x1b[2J")
			}
			if err := v.status(o); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// kindOfTrouble tells errors apart in a word; "" is none.
func kindOfTrouble(err error) string {
	if err == nil {
		return ""
	}
	return cmp.Or(streamutil.ErrorKind(err), "other")
}

// see reads all that status shows.
func see(ctx context.Context, q *streamutil.Queue) (overview, error) {
	return call(ctx, q, func(ctx context.Context, q *streamutil.Queue) (overview, error) {
		s, err := q.Inspect(ctx)
		if err != nil {
			return overview{}, err
		}
		r, err := readRecent(ctx, q, s.Time)
		return overview{queue: q.Name(), redis: q.Redis(), Snapshot: s, recent: r}, err
	})
}

func (v view) status(o overview) error { return v.show(o.document(), statusLines(o, v)) }

// status is what status -o json shows; scripts rely on its keys.
// More of them come with statusDoc.
type status struct {
	Queue         string                `json:"queue"`
	State         streamutil.QueueState `json:"state"`
	Reason        *string               `json:"reason"`
	Pace          *string               `json:"pace"`
	Waiting       int64                 `json:"waiting"`
	InFlight      int64                 `json:"in_flight"`
	Parked        int64                 `json:"parked"`
	Dead          int64                 `json:"dead"`
	OldestSeconds float64               `json:"oldest_seconds"`
	DrainSeconds  *float64              `json:"drain_seconds"`
	Consumers     int                   `json:"consumers"`
	LastError     *lastError            `json:"last_error"`
}

type lastError struct {
	At      time.Time          `json:"at"`
	OrderID string             `json:"order_id"`
	Outcome streamutil.Outcome `json:"outcome"`
	Status  int                `json:"status"`
	Attempt int                `json:"attempt"`
}

func newStatus(queue string, s streamutil.Snapshot) status {
	out := status{
		Queue: queue, State: s.State, Waiting: s.Waiting, InFlight: s.InFlight, Parked: s.Parked, Dead: s.Dead,
		OldestSeconds: seconds(s.Oldest), Consumers: s.Alive(),
	}
	if reason := reasonText(s); reason != "" {
		out.Reason = &reason
	}
	if s.PaceKnown {
		pace := streamutil.Every(s.Pace).String()
		out.Pace = &pace
	}
	if s.DrainKnown {
		drain := seconds(s.Drain)
		out.DrainSeconds = &drain
	}
	if e := s.LastError; e != nil {
		out.LastError = &lastError{At: e.Time.UTC(), OrderID: e.OrderID, Outcome: e.Outcome, Status: e.Status, Attempt: e.Attempt}
	}
	return out
}

func statusLines(s overview, v view) [][]string {
	drain := "not known"
	if s.DrainKnown {
		drain = span(s.Drain)
	}
	lines := [][]string{
		{"queue", s.queue + " on " + s.redis},
		{"state", fullStateText(s.Snapshot)},
		{"pace", v.paceText(s.Snapshot)},
		{"backlog", fmt.Sprintf("%d (%d waiting, %d in flight, %d parked)", s.Length, s.Waiting, s.InFlight, s.Parked)},
		{"oldest", span(s.Oldest)},
		{"drained in", drain},
		{"delivered", fmt.Sprintf("%d of %d accepted", s.Totals.Delivered, s.Totals.Accepted)},
		{"recent", v.recentText(s.recent, s.Time)},
		{"dead", fmt.Sprint(s.Dead)},
		{"consumers", fmt.Sprint(s.Alive())},
	}
	for _, c := range s.Consumers {
		lines = append(lines, []string{"", consumerLine(c)})
	}
	return append(lines, []string{"last error", lastErrorLine(s.Snapshot, v)})
}

// stateText says how the queue is doing and why, the state not twice.
func stateText(s streamutil.Snapshot) string {
	state := string(s.State)
	if s.Reason == "" || strings.HasPrefix(s.Reason, state+" ") {
		return cmp.Or(s.Reason, state)
	}
	return state + ": " + s.Reason
}

const outOfMemory = "Redis is out of memory: new orders are refused"

// memoryHidden reports whether new orders are refused for want of memory while
// something else is the reason why nothing moves: shops notice this first.
func memoryHidden(s streamutil.Snapshot) bool { return s.Memory.Full() && s.Blocked != "memory" }

const neverUsed = "no order and no consumer was ever here; is it the right queue, and the right Redis?"

// reasonText is the reason, and beside it that Redis is out of memory, or that the
// queue may be the wrong one.
func reasonText(s streamutil.Snapshot) string {
	var parts []string
	if s.Reason != "" {
		parts = append(parts, s.Reason)
	}
	if s.NeverUsed() {
		parts = append(parts, neverUsed)
	}
	if memoryHidden(s) {
		parts = append(parts, outOfMemory)
	}
	return strings.Join(parts, "; ")
}

// fullStateText is stateText with all that reasonText says.
func fullStateText(s streamutil.Snapshot) string {
	s.Reason = reasonText(s)
	return stateText(s)
}

func consumerLine(c streamutil.ConsumerInfo) string {
	health := "alive"
	if !c.Alive {
		health = "DEAD"
	}
	return strings.Join([]string{
		c.Name, health, "beat " + span(c.Seen) + " ago", fmt.Sprintf("%d in flight", c.InFlight),
		"pace " + streamutil.Every(c.Pace).String(), "version " + orNone(c.Version),
	}, ", ")
}

func lastErrorLine(s streamutil.Snapshot, v view) string {
	e := s.LastError
	if e == nil {
		return "none"
	}
	answer := "no answer"
	if e.Status > 0 {
		answer = fmt.Sprintf("answer %d", e.Status)
	}
	return fmt.Sprintf("%s (%s ago): order %s, attempt %d %s, %s",
		v.moment(e.Time), span(s.Time.Sub(e.Time)), e.OrderID, e.Attempt, e.Outcome, answer)
}

// moment shows a time in the user's zone, or in UTC.
func (v view) moment(t time.Time) string {
	if v.utc {
		t = t.UTC()
	}
	return t.Format("2006-01-02 15:04:05 MST")
}
