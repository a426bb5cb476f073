package streamutil_test

import (
	"fmt"
	"strings"
	"time"

	"orderq/streamutil"
)

var operator = streamutil.Act{Who: "ann@host", Why: "test"}

func (h *harness) pause(d time.Duration) string {
	h.t.Helper()
	return h.did(h.q.Pause(h.t.Context(), d, operator), "paused")
}

func (h *harness) resume() string {
	h.t.Helper()
	ended, err := h.q.Resume(h.t.Context(), operator)
	return h.did(err, strings.TrimSpace("ended "+strings.Join(ended, " ")))
}

func (h *harness) setPace(t, d time.Duration) string {
	h.t.Helper()
	return h.did(h.q.SetPace(h.t.Context(), streamutil.Every(t), d, operator), "set")
}

func (h *harness) resetPace() string {
	h.t.Helper()
	return h.did(h.q.ResetPace(h.t.Context(), operator), "reset")
}

func (h *harness) retry(order string) string {
	h.t.Helper()
	state, err := h.q.Retry(h.t.Context(), order, operator)
	return h.did(err, "was "+string(state))
}

func (h *harness) cancel(order string) string {
	h.t.Helper()
	c, err := h.q.Cancel(h.t.Context(), order, operator)
	return h.did(err, fmt.Sprintf("%v was %s, sent %d", c.Done, c.State, c.Attempts))
}

func (h *harness) purge(names ...string) string {
	h.t.Helper()
	var ids []streamutil.EntryID
	for _, name := range names {
		ids = append(ids, h.entries[name])
	}
	got, err := h.q.Purge(h.t.Context(), ids, operator)
	var all []string
	for _, p := range got {
		all = append(all, string(p))
	}
	return h.did(err, strings.Join(all, " "))
}

// requeue and drop name the order whose letter they mean.
func (h *harness) requeue(order string) string {
	h.t.Helper()
	letter, err := h.q.DeadLetterOf(h.t.Context(), order)
	if err != nil {
		return "no letter: " + h.failed(err)
	}
	return h.requeueLetter(letter)
}

func (h *harness) requeueLetter(letter streamutil.DeadLetter) string {
	h.t.Helper()
	id, err := h.q.Requeue(h.t.Context(), letter.ID, operator)
	if err == nil {
		h.knowOrder(letter.OrderID, id.String())
	}
	return h.did(err, "requeued "+h.alias(id.String()))
}

func (h *harness) drop(order string, delivered bool) string {
	h.t.Helper()
	letter, err := h.q.DeadLetterOf(h.t.Context(), order)
	if err != nil {
		return "no letter: " + h.failed(err)
	}
	return h.did(h.q.Drop(h.t.Context(), letter.ID, delivered, operator), "dropped")
}

func (h *harness) sweep() string {
	h.t.Helper()
	n, err := h.q.Sweep(h.t.Context())
	return h.did(err, fmt.Sprintf("found %d", n))
}

func (h *harness) did(err error, answer string) string {
	h.t.Helper()
	if err != nil {
		return h.failed(err)
	}
	return answer
}

// letters gives the dead letters by the name of their entry.
func (h *harness) letters() map[string]streamutil.DeadLetter {
	h.t.Helper()
	list, err := h.q.DeadLetters(h.t.Context(), streamutil.EntryID{}, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	all := map[string]streamutil.DeadLetter{}
	for _, l := range list {
		all[h.alias(l.Entry.String())] = l
	}
	return all
}
