package streamutil_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

// The steps that tests are told in: each calls one script through its Go
// method and gives the answer in one line.

func (h *harness) submit(order string) string { return h.submitBody(order, `{"of":"`+order+`"}`) }

func (h *harness) submitBody(order, body string) string {
	h.t.Helper()
	r, err := h.q.Enqueue(h.t.Context(), streamutil.NewOrder{ID: order, Body: []byte(body)})
	if err != nil {
		return h.failed(err)
	}
	word := "duplicate"
	if !r.Duplicate {
		word = "accepted"
		h.knowOrder(order, r.Entry.String())
	}
	return fmt.Sprintf("%s %s %s %s", word, h.alias(r.Entry.String()), r.State, placeText(r.Place))
}

func (h *harness) register(name string) string { return h.registerAt(name, time.Second) }

func (h *harness) registerAt(name string, pace time.Duration) string {
	h.t.Helper()
	slot, err := h.q.Register(h.t.Context(), streamutil.Identity{
		Name: name, Host: "host", PID: 1, Version: "test", Pace: streamutil.Every(pace), Lease: 15 * time.Second,
	})
	return h.told(slot, err)
}

func (h *harness) beat(name string, beat int64) string { return h.beatAt(name, beat, time.Second) }

func (h *harness) beatAt(name string, beat int64, pace time.Duration) string {
	h.t.Helper()
	p, err := h.q.Heartbeat(h.t.Context(), name, beat, streamutil.Every(pace), "")
	if err != nil {
		return h.failed(err)
	}
	text := h.told(p.Slot, nil) + fmt.Sprintf("; %d due;", p.Due)
	slices.SortFunc(p.Beats, func(a, b streamutil.Beat) int { return strings.Compare(a.Name, b.Name) })
	for _, b := range p.Beats {
		text += fmt.Sprintf(" %s=%d", b.Name, b.Count)
	}
	return text
}

func (h *harness) open() string { return h.openAt(h.slot.Epoch) }

func (h *harness) openAt(epoch string) string {
	h.t.Helper()
	slot, err := h.q.Open(h.t.Context(), epoch)
	return h.told(slot, err)
}

// take names the slot seen last; holding names orders.
func (h *harness) take(name string, k int64, n int, holding ...string) string {
	h.t.Helper()
	return h.takeAt(h.slot, name, k, n, holding...)
}

func (h *harness) takeAt(slot streamutil.Slot, name string, k int64, n int, holding ...string) string {
	h.t.Helper()
	t := streamutil.Take{Consumer: name, K: k, N: n, Epoch: slot.Epoch, Slot: slot.Number}
	for _, order := range holding {
		t.Holding = append(t.Holding, h.entries[order])
	}
	r, err := h.q.Take(h.t.Context(), t)
	if err != nil {
		return h.failed(err)
	}
	h.slot = r.Slot
	text := string(r.Verdict)
	switch r.Verdict {
	case streamutil.VerdictTaken:
		for _, o := range r.Orders {
			text += fmt.Sprintf(" %s#%d", o.ID, o.Attempt)
		}
	case streamutil.VerdictBlocked:
		text += " " + r.Reason + " " + waitText(r.Wait)
	case streamutil.VerdictEmpty:
		text += " " + waitText(r.Wait) + " after " + h.alias(r.Last.String())
	case streamutil.VerdictTold, streamutil.VerdictClosed:
		text += " " + h.told(r.Slot, nil)
	case streamutil.VerdictSettled:
	}
	return text
}

func (h *harness) started() string {
	h.t.Helper()
	return h.startedAt(h.slot)
}

func (h *harness) startedAt(s streamutil.Slot) string {
	h.t.Helper()
	slot, err := h.q.Started(h.t.Context(), s.Epoch, s.Number)
	return h.told(slot, err)
}

func (h *harness) settle(name string, k int64, order string, outcome streamutil.Outcome, delay time.Duration) string {
	h.t.Helper()
	return h.settleAs(streamutil.Settlement{
		Consumer: name, K: k, Entry: h.entries[order], OrderID: order,
		Outcome: outcome, Delay: delay, Status: 500, Answer: "answer",
	})
}

func (h *harness) delivered(name string, k int64, order string) string {
	h.t.Helper()
	return h.settleAs(streamutil.Settlement{
		Consumer: name, K: k, Entry: h.entries[order], OrderID: order,
		Outcome: streamutil.OutcomeDelivered, Status: 200, Answer: "thanks",
	})
}

func (h *harness) settleAs(s streamutil.Settlement) string {
	h.t.Helper()
	r, err := h.q.Settle(h.t.Context(), s)
	if err != nil {
		return h.failed(err)
	}
	if r.Stray {
		return strings.TrimSpace("stray " + string(r.State))
	}
	text := "ok " + string(r.State)
	if r.Effect != "" {
		text += ", " + string(r.Effect)
	}
	if r.For > 0 {
		text += " " + roughly(r.For)
	}
	return text
}

func (h *harness) release(name string, k int64, orders ...string) string {
	h.t.Helper()
	var ids []streamutil.EntryID
	for _, o := range orders {
		ids = append(ids, h.entries[o])
	}
	n, err := h.q.Release(h.t.Context(), name, k, ids...)
	if err != nil {
		return h.failed(err)
	}
	return fmt.Sprintf("released %d", n)
}

func (h *harness) reclaim(name string, beat int64) string {
	h.t.Helper()
	return h.reclaimBy(name, beat, streamutil.Policy{})
}

func (h *harness) reclaimBy(name string, beat int64, p streamutil.Policy) string {
	h.t.Helper()
	r, err := h.q.Reclaim(h.t.Context(), name, beat, p)
	if err != nil {
		return h.failed(err)
	}
	if r.Alive {
		return "alive"
	}
	return fmt.Sprintf("due %d dead %d", r.Due, r.Dead)
}

func (h *harness) leave(name string) string {
	h.t.Helper()
	n, err := h.q.Leave(h.t.Context(), name)
	if err != nil {
		return h.failed(err)
	}
	return fmt.Sprintf("left %d", n)
}

func (h *harness) lookup(order string) string {
	h.t.Helper()
	r, err := h.q.Lookup(h.t.Context(), order)
	if err != nil {
		return h.failed(err)
	}
	text := fmt.Sprintf("%s %s %s attempts=%d", h.alias(r.Entry.String()), r.State, placeText(r.Place), r.Attempts)
	if !r.Due.IsZero() {
		text += " due=" + waitText(max(time.Until(r.Due), 0))
	}
	if r.LastOutcome != "" {
		text += fmt.Sprintf(" last=%s/%d/%s", r.LastOutcome, r.LastStatus, r.LastAnswer)
	}
	if r.Consumer != "" {
		text += " with=" + r.Consumer
	}
	return text
}

func (h *harness) told(s streamutil.Slot, err error) string {
	h.t.Helper()
	if err != nil {
		return h.failed(err)
	}
	h.slot = s
	return h.slotText(s)
}

func (h *harness) slotText(s streamutil.Slot) string {
	state, open, pace := "granted", "closed", "unknown"
	if s.Started {
		state = "started"
	}
	if s.Free {
		state = "free"
	}
	if s.Open {
		open = "open"
	}
	if s.IntervalKnown {
		pace = s.Interval.String()
	}
	text := fmt.Sprintf("%s %s slot %d %s wait=%s pace=%s", h.epoch(s.Epoch), open, s.Number, state, s.Wait, pace)
	if s.Blocked != "" {
		text += " " + s.Blocked + " " + waitText(s.For)
	}
	return text
}

func (h *harness) failed(err error) string {
	h.t.Helper()
	for _, known := range []struct {
		name string
		err  error
	}{
		{"ErrUnavailable", streamutil.ErrUnavailable},
		{"ErrMemory", streamutil.ErrMemory},
		{"ErrNotConfirmed", streamutil.ErrNotConfirmed},
		{"ErrFull", streamutil.ErrFull},
		{"ErrConflict", streamutil.ErrConflict},
		{"ErrNotFound", streamutil.ErrNotFound},
		{"ErrGone", streamutil.ErrGone},
		{"ErrStale", streamutil.ErrStale},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	h.t.Fatalf("an error that no caller can decide on: %v", err)
	return ""
}

func placeText(p streamutil.Place) string {
	if !p.Known {
		return fmt.Sprintf("position=%d", p.Position)
	}
	return fmt.Sprintf("position=%d wait=%s", p.Position, waitText(p.Wait))
}

func waitText(d time.Duration) string {
	if d < 0 {
		return "unknown"
	}
	return roughly(d)
}

// roughly tells a duration to the second, or to the minute where it is long.
func roughly(d time.Duration) string {
	if d > 30*time.Minute {
		return d.Round(time.Minute).String()
	}
	return d.Round(time.Second).String()
}

// expect is for tests that tell a trace: step by step, with the answers.
func (h *harness) expect(got, want string) {
	h.t.Helper()
	if got != want {
		h.t.Fatalf("answered %q, want %q", got, want)
	}
}

// scriptCase is one row of a script's table.
type scriptCase struct {
	name    string
	given   func(h *harness)        // what was before; nil: nothing
	do      func(h *harness) string // the call
	answer  string
	changes []string // all that the call changed in Redis: see facts.changes
}

func runCases(t *testing.T, cases []scriptCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			if c.given != nil {
				c.given(h)
			}
			before := h.facts()
			if got := c.do(h); got != c.answer {
				t.Errorf("answered %q, want %q", got, c.answer)
			}
			if d := cmp.Diff(c.changes, before.changes(h.facts())); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
}
