package streamutil_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderq/streamutil"
)

// putIn imports orders as they are described: ID, state and an attempt or two.
func (h *harness) putIn(copies ...streamutil.Copy) string {
	h.t.Helper()
	got, err := h.q.Import(h.t.Context(), copies, operator)
	var all []string
	for i, g := range got {
		id := copies[i].OrderID
		text := strings.TrimSpace(string(g.Result) + " " + string(g.State))
		if g.Err != nil {
			text = h.failed(g.Err)
		}
		all = append(all, text)
		if rec, err := h.q.Lookup(h.t.Context(), id); err == nil && g.Result == streamutil.ImportPut && rec.State == streamutil.Waiting && copies[i].Mark == "" {
			h.knowOrder(id, rec.Entry.String())
		}
	}
	return h.did(err, strings.Join(all, ", "))
}

func copyOf(order string, state streamutil.State) streamutil.Copy {
	return streamutil.Copy{
		OrderID: order, State: state, Body: []byte(`{"of":"` + order + `"}`), Accepted: time.UnixMilli(1_700_000_000_000),
		Finished: time.UnixMilli(1_700_000_060_000), Attempts: 2,
	}
}

func undone(order string) streamutil.Copy {
	c := copyOf(order, streamutil.Waiting)
	c.Undo = true
	return c
}

func TestImport(t *testing.T) {
	stray := copyOf("A", streamutil.Dead)
	stray.Mark, stray.Reason = "list:7", streamutil.ReasonDuplicate
	other := copyOf("A", streamutil.Waiting)
	other.Body = []byte("{}")
	dead := copyOf("D", streamutil.Dead)
	dead.Reason, dead.Status, dead.Answer, dead.Entry = "rejected", 422, "no", streamutil.EntryID{Ms: 1}
	runCases(t, []scriptCase{{
		name:   "one that waits, sent before",
		given:  ready,
		do:     func(h *harness) string { return h.putIn(copyOf("C", streamutil.InFlight)) },
		answer: "put",
		changes: []string{
			`+ record C accepted = set`,
			`+ record C attempts = 0`,
			`+ record C entry = C`,
			`+ record C hash = set`,
			`+ record C sent = 2`,
			`+ record C seq = 3`,
			`+ record C state = waiting`,
			`+ stream C = id=C body={"of":"C"} seq=3`,
			`stats accepted: 2 -> 3`,
			`stats seq: 2 -> 3`,
		},
	}, {
		name:  "known: waits, with another body, in flight",
		given: func(h *harness) { inFlight(h) },
		do: func(h *harness) string {
			return h.putIn(copyOf("B", streamutil.Waiting), other, copyOf("A", streamutil.Delivered))
		},
		answer: "known waiting, conflict in_flight, known in_flight",
	}, {
		name:  "delivered, and it waits, is parked",
		given: parkedNow,
		do: func(h *harness) string {
			return h.putIn(copyOf("A", streamutil.Delivered), copyOf("B", streamutil.Delivered))
		},
		answer: "ended, ended",
		changes: []string{
			`+ record A expires = 72h0m0s`,
			`+ record A finished = set`,
			`+ record B expires = 72h0m0s`,
			`+ record B finished = set`,
			`+ stats delivered = 2`,
			`+ stats skipped = 0`,
			`- due A = now`,
			`- pending A = parked`,
			`- stream A = id=A body={"of":"A"} seq=1`,
			`- stream B = id=B body={"of":"B"} seq=2`,
			`record A state: parked -> delivered`,
			`record B state: waiting -> delivered`,
			`stats taken: 1 -> 2`,
		},
	}, {
		name:   "delivered, and not known",
		do:     func(h *harness) string { return h.putIn(copyOf("A", streamutil.Delivered)) },
		answer: "put",
		changes: []string{
			`+ record A accepted = set`,
			`+ record A attempts = 2`,
			`+ record A entry = 0-0`,
			`+ record A expires = 72h0m0s`,
			`+ record A finished = set`,
			`+ record A hash = set`,
			`+ record A state = delivered`,
		},
	}, {
		name: "cancelled, then waiting in an older copy",
		do: func(h *harness) string {
			return h.putIn(copyOf("A", streamutil.Cancelled), copyOf("A", streamutil.Waiting))
		},
		answer: "put, known cancelled",
		changes: []string{
			`+ record A accepted = set`,
			`+ record A attempts = 2`,
			`+ record A entry = 0-0`,
			`+ record A expires = 72h0m0s`,
			`+ record A finished = set`,
			`+ record A hash = set`,
			`+ record A state = cancelled`,
		},
	}, {
		name:   "dead, twice",
		do:     func(h *harness) string { return h.putIn(dead, dead) },
		answer: "put, known dead",
		changes: []string{
			`+ dead 1-0 = id=D body={"of":"D"} reason=rejected status=422 answer=no attempts=2`,
			`+ record D accepted = set`,
			`+ record D answer = no`,
			`+ record D attempts = 2`,
			`+ record D entry = 1-0`,
			`+ record D finished = set`,
			`+ record D hash = set`,
			`+ record D letter = set`,
			`+ record D state = dead`,
			`+ record D status = 422`,
			`+ stats accepted = 1`,
			`+ stats dead = 1`,
		},
	}, {
		name:   "what is no order's own, twice",
		given:  ready,
		do:     func(h *harness) string { return h.putIn(stray, stray) },
		answer: "put, known dead",
		changes: []string{
			`+ dead 0-0 = id=A body={"of":"A"} reason=duplicate attempts=2`,
			`+ record ~list:7 accepted = set`,
			`+ record ~list:7 attempts = 2`,
			`+ record ~list:7 entry = 0-0`,
			`+ record ~list:7 expires = 72h0m0s`,
			`+ record ~list:7 finished = set`,
			`+ record ~list:7 letter = set`,
			`+ record ~list:7 state = dead`,
			`+ stats dead = 1`,
		},
	}, {
		name: "purged and cancelled, to be undone",
		given: func(h *harness) {
			ready(h)
			h.submit("C")
			h.cancel("C")
			h.purge("A")
		},
		do:     func(h *harness) string { return h.putIn(undone("A"), undone("B"), undone("C")) },
		answer: "put, known waiting, known cancelled",
		changes: []string{
			`+ record A sent = 2`,
			`+ stream A~2 = id=A body={"of":"A"} seq=4`,
			`- record A expires = 72h0m0s`,
			`- record A finished = set`,
			`- record A purged_by = ann@host`,
			`- record A purged_why = test`,
			`record A entry: A -> A~2`,
			`record A seq: 1 -> 4`,
			`record A state: cancelled -> waiting`,
			`stats cancelled: 2 -> 1`,
			`stats seq: 3 -> 4`,
		},
	}, {
		name: "dead, and given up by a person",
		do: func(h *harness) string {
			dropped := dead
			dropped.Body, dropped.Reason, dropped.Dropped = nil, "", true
			return h.putIn(dropped, dropped)
		},
		answer: "put, known dead",
		changes: []string{
			`+ record D accepted = set`,
			`+ record D answer = no`,
			`+ record D attempts = 2`,
			`+ record D entry = 1-0`,
			`+ record D expires = 72h0m0s`,
			`+ record D finished = set`,
			`+ record D state = dead`,
			`+ record D status = 422`,
		},
	}, {
		name: "its entry was deleted by hand",
		given: func(h *harness) {
			ready(h)
			h.redis("DEL", "%stream")
		},
		do:     func(h *harness) string { return h.putIn(copyOf("A", streamutil.Waiting)) },
		answer: "put",
		changes: []string{
			`+ record A sent = 2`,
			`+ stream A~2 = id=A body={"of":"A"} seq=3`,
			`record A entry: A -> A~2`,
			`record A seq: 1 -> 3`,
			`stats accepted: 2 -> 3`,
			`stats seq: 2 -> 3`,
		},
	}})
}

// The letters and records of one queue, put into another one, are what they were.
func TestCopies(t *testing.T) {
	h := newHarness(t)
	ready(h)
	h.submit("C")
	h.take("c1", 1, 1)
	h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
	h.pause(0)
	h.resume()
	h.cancel("B")
	h.submit("D")
	h.take("c1", 2, 1)
	h.submit("F")
	h.take("c1", 3, 1, "D")
	h.settle("c1", 3, "F", streamutil.OutcomeRejected, 0)
	h.drop("F", false)
	h.addByHand("junk", "x", "\xff\"\n", "y", "z")
	h.addByHand("no body", "id", "E")
	all := h.copies(h.q)
	other := harnessOn(t, h.srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	put, err := other.q.Import(t.Context(), all, operator)
	if err != nil || len(put) != len(all) {
		t.Fatalf("%v, %v", put, err)
	}
	for i, p := range put {
		if p.Result != streamutil.ImportPut {
			t.Errorf("%s: %v", all[i].OrderID, p)
		}
	}
	for i := range all {
		if all[i].State == streamutil.InFlight || all[i].State == streamutil.Parked {
			all[i].State = streamutil.Waiting
		}
	}
	same := cmp.Options{
		cmpopts.IgnoreFields(streamutil.Copy{}, "Mark", "Entry", "Left"),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Finished" }, cmp.Comparer(func(a, b time.Time) bool {
			return a.IsZero() || b.IsZero() || a.Equal(b) // what a hand put there is set aside only when it is put in
		})),
		cmpopts.SortSlices(func(a, b streamutil.Copy) int { return strings.Compare(a.OrderID+a.Raw, b.OrderID+b.Raw) }),
	}
	if d := cmp.Diff(all, other.copies(other.q), same); d != "" {
		t.Errorf("what came back (-was +is):\n%s", d)
	}
	again, err := other.q.Import(t.Context(), all, operator)
	for i, p := range again {
		if err != nil || p.Result != streamutil.ImportKnown {
			t.Errorf("%s again: %v, %v", all[i].OrderID, p, err)
		}
	}
}

// Something that is no record stands in the way of its own order alone.
func TestImportBesideJunk(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.redis("SET", h.key("order:A"), "x")
	h.expect(h.putIn(copyOf("A", streamutil.Waiting), copyOf("B", streamutil.Waiting)), "conflict, put")
}

// At full memory nothing is tried behind what failed, which might be let in by
// then: a repetition must keep the order.
func TestImportAtFullMemory(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.alone()
	var all []streamutil.Copy
	for i := range 100 {
		all = append(all, copyOf(fmt.Sprint("O-", i), streamutil.Waiting))
	}
	h.redis("CONFIG", "SET", "maxmemory", "1")
	got, err := h.q.Import(t.Context(), all, operator)
	if err != nil || len(got) == 0 || len(got) == len(all) {
		t.Errorf("%d were tried, %v", len(got), err)
	}
	for _, g := range got {
		if !errors.Is(g.Err, streamutil.ErrMemory) {
			t.Errorf("%+v", g)
		}
	}
}

// copies is all that a queue holds, in the order in which it should be put in.
func (h *harness) copies(q *streamutil.Queue) []streamutil.Copy {
	h.t.Helper()
	ctx := h.t.Context()
	all, _, err := q.CopyDead(ctx, streamutil.EntryID{}, 0)
	for cursor, more := uint64(0), true; more && err == nil; more = cursor != 0 {
		var page []streamutil.Copy
		page, cursor, err = q.CopyFinished(ctx, cursor)
		all = append(all, page...)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	unfinished, err := q.CopyUnfinished(ctx, streamutil.EntryID{}, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return append(all, unfinished...)
}
