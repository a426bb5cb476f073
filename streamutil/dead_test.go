package streamutil_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderq/streamutil"
)

// isDead: as ready, and A was rejected.
func isDead(h *harness) {
	inFlight(h)
	h.settle("c1", 1, "A", streamutil.OutcomeRejected, 0)
}

func TestRequeue(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "it waits again, behind all others",
		given:  isDead,
		do:     func(h *harness) string { return h.requeue("A") },
		answer: "requeued A~2",
		changes: []string{
			"+ log 003 = requeue order=A entry=A~2 who=ann@host why=test",
			"+ record A sent = 1",
			`+ stream A~2 = id=A body={"of":"A"} seq=3`,
			`- dead A = id=A body={"of":"A"} reason=rejected status=500 answer=answer attempts=1`,
			"- record A answer = answer",
			"- record A finished = set",
			"- record A letter = set",
			"- record A outcome = rejected",
			"- record A status = 500",
			"record A attempts: 1 -> 0",
			"record A entry: A -> A~2",
			"record A seq: 1 -> 3",
			"record A state: dead -> waiting",
			"stats dead: 1 -> 0",
			"stats seq: 2 -> 3",
		},
	}, {
		name: "twice",
		given: func(h *harness) {
			isDead(h)
			h.requeue("A")
		},
		do:     func(h *harness) string { return h.requeue("A") },
		answer: "no letter: ErrNotFound",
	}, {
		name: "what it was sent before counts when it is cancelled",
		given: func(h *harness) {
			isDead(h)
			h.requeue("A")
		},
		do:     func(h *harness) string { return h.cancel("A") },
		answer: "true was waiting, sent 1",
		changes: []string{
			"+ log 004 = cancel order=A attempt=1 who=ann@host why=test",
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ stats cancelled = 1",
			"+ stats skipped = 1",
			`- stream A~2 = id=A body={"of":"A"} seq=3`,
			"record A state: waiting -> cancelled",
		},
	}, {
		name: "an entry that is no order",
		given: func(h *harness) {
			h.register("c1")
			h.addByHand("odd", "by", "hand")
			h.take("c1", 1, 1)
		},
		do:     func(h *harness) string { return h.requeueLetter(h.letters()["odd"]) },
		answer: "ErrConflict",
	}, {
		name: "a stray entry of an order that has its own",
		given: func(h *harness) {
			ready(h)
			h.take("c1", 1, 1)
			h.take("c1", 2, 1, "A")
			h.addByHand("copy", "id", "A", "body", "other")
			h.take("c1", 3, 1, "A", "B")
		},
		do:     func(h *harness) string { return h.requeueLetter(h.letters()["copy"]) },
		answer: "ErrConflict",
	}, {
		name: "an order without a record any more",
		given: func(h *harness) {
			isDead(h)
			h.redis("DEL", "%order:A")
		},
		do:     func(h *harness) string { return h.requeueLetter(h.letters()["A"]) },
		answer: "requeued A~2",
		changes: []string{
			"+ log 003 = requeue order=A entry=A~2 who=ann@host why=test",
			"+ record A accepted = set",
			"+ record A attempts = 0",
			"+ record A entry = A~2",
			"+ record A sent = 0",
			"+ record A seq = 3",
			"+ record A state = waiting",
			`+ stream A~2 = id=A body={"of":"A"} seq=3`,
			`- dead A = id=A body={"of":"A"} reason=rejected status=500 answer=answer attempts=1`,
			"stats dead: 1 -> 0",
			"stats seq: 2 -> 3",
		},
	}})
}

func TestDrop(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "a person has dealt with it",
		given:  isDead,
		do:     func(h *harness) string { return h.drop("A", false) },
		answer: "dropped",
		changes: []string{
			"+ log 003 = drop order=A state=dead who=ann@host why=test",
			"+ record A expires = 72h0m0s",
			`- dead A = id=A body={"of":"A"} reason=rejected status=500 answer=answer attempts=1`,
			"- record A letter = set",
		},
	}, {
		name:   "the partner has it after all",
		given:  isDead,
		do:     func(h *harness) string { return h.drop("A", true) },
		answer: "dropped",
		changes: []string{
			"+ log 003 = drop order=A state=delivered who=ann@host why=test",
			"+ record A expires = 72h0m0s",
			"+ stats delivered = 1",
			`- dead A = id=A body={"of":"A"} reason=rejected status=500 answer=answer attempts=1`,
			"- record A letter = set",
			"record A state: dead -> delivered",
			"stats dead: 1 -> 0",
		},
	}, {
		name: "twice",
		given: func(h *harness) {
			isDead(h)
			h.drop("A", false)
		},
		do:     func(h *harness) string { return h.drop("A", true) },
		answer: "no letter: ErrNotFound",
	}, {
		name: "a letter added by hand, without an order",
		given: func(h *harness) {
			h.redis("XADD", "%dead", "5-1", "note", "by hand")
		},
		do: func(h *harness) string {
			return h.did(h.q.Drop(h.t.Context(), streamutil.EntryID{Ms: 5, Seq: 1}, true, operator), "dropped")
		},
		answer: "dropped",
		changes: []string{
			"+ log 001 = drop state=delivered who=ann@host why=test",
			"- dead  = ",
		},
	}})
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	isDead(h)
	h.take("c1", 2, 1)
	h.settle("c1", 2, "B", streamutil.OutcomeRejected, 0)
	list, err := h.q.DeadLetters(t.Context(), streamutil.EntryID{}, 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	want := streamutil.DeadLetter{
		OrderID: "A", Body: []byte(`{"of":"A"}`), Reason: "rejected", Status: 500, Answer: "answer", Attempts: 1, Entry: h.entries["A"],
	}
	if d := cmp.Diff(want, list[0], cmpopts.IgnoreFields(streamutil.DeadLetter{}, "ID")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got := list[0].Cause(); got != "rejected 500" {
		t.Errorf("cause %q", got)
	}
	if list, err = h.q.DeadLetters(t.Context(), list[0].ID, 10); err != nil || len(list) != 1 || list[0].OrderID != "B" {
		t.Errorf("after the first: %v, %v", list, err)
	}
}
