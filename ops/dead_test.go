package ops_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// rubbish adds an entry by hand that is no order, and lets a take set it aside.
func (w *worker) rubbish(srv *redistest.Server) {
	w.t.Helper()
	srv.CLI("XADD", "orderq:{"+w.queue+"}:stream", "*", "what", "rubbish")
	w.k++
	taken, err := w.q.Take(w.t.Context(), streamutil.Take{Consumer: "w", K: w.k, N: 1, Epoch: w.slot.Epoch, Slot: w.slot.Number})
	if err != nil {
		w.t.Fatal(err)
	}
	w.slot = taken.Slot
}

// newLetters is a queue with five dead letters, the last of which is no order.
func newLetters(t *testing.T) *desk {
	srv := redistest.Shared(t)
	d := newDesk(t, srv.Addr())
	w := d.worker()
	w.bury(422, "A-1", "A-2")
	w.bury(400, "A-3", "7-7") // an order's id may look like an entry's
	w.rubbish(srv)
	if n := len(d.letters()); n != 5 {
		t.Fatalf("%d dead letters", n)
	}
	return d
}

func TestDeadCommandsRefuse(t *testing.T) {
	d := newLetters(t)
	for _, c := range []typed{
		{line: "dead requeue", code: 2, err: []string{"want either ids, or --error E, or --all"}},
		{line: "dead requeue A-1 --all", code: 2, err: []string{"want either"}},
		{line: "dead requeue --all --error poison", code: 2, err: []string{"want either"}},
		{line: "dead requeue --error ''", code: 2, err: []string{"--error is empty"}},
		{line: "dead requeue A-1", code: 2, err: []string{asksFirst}},
		{line: "dead requeue --all", code: 2, err: []string{asksFirst}},
		{line: "dead drop", code: 2, err: []string{"want at least one order id"}},
		{line: "dead drop A-1", code: 2, err: []string{asksFirst}},
		{line: "dead requeue --error 'rejected 499' --yes", code: 3, err: []string{`no dead letter has the error "rejected 499"; there are: rejected 400, rejected 422, undecodable`}},
		{line: "dead requeue none 9-9 --yes", code: 3, out: []string{"none\t-\tnot found\t", "9-9\t-\tnot found\t"}, err: []string{"not done: none is no dead letter; 9-9 is no dead letter\n"}},
		{line: "dead drop none --yes", code: 3, out: []string{"none\t-\tnot found\tis no dead letter\n"}, err: []string{"not done: none is no dead letter\n"}},
	} {
		d.check(c)
	}
	if n := len(d.letters()); n != 5 {
		t.Errorf("%d dead letters of 5 are left", n)
	}
}

func TestRequeueByOrderID(t *testing.T) {
	d := newLetters(t)
	d.check(typed{
		line: "dead requeue A-1 7-7 --dry-run",
		out:  []string{"A-1\tdead: rejected 422\twould be done\t-\n7-7\tdead: rejected 400\twould be done\t-\n"},
		err:  []string{"dry run: nothing is changed\n", "2 would be done\n"},
	})
	if n := len(d.letters()); n != 5 {
		t.Fatalf("a dry run left %d letters of 5", n)
	}
	d.check(typed{
		line: "dead requeue A-1 A-2 A-3 A-2 7-7 --yes --reason why",
		out:  []string{"A-1\tdead: rejected 422\tdone\twaits as ", "A-2\t", "A-3\tdead: rejected 400\tdone\t", "7-7\tdead: rejected 400\tdone\t"},
		err:  []string{"queue " + d.queue, "4 done\n", "undo: orderq cancel A-1 A-2 A-3 7-7  (what is not sent by then)\n"},
	})
	d.states(map[string]streamutil.State{"A-1": "waiting", "A-2": "waiting", "A-3": "waiting", "7-7": "waiting"})
	if left := d.letters(); len(left) != 1 || left[0].Reason != streamutil.ReasonUndecodable {
		t.Errorf("left: %+v", left)
	}
}

// TestLettersByTheirOtherNames has letters with ids that no clock decides.
func TestLettersByTheirOtherNames(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		code       int
		gone       string // the orders whose letters went
		out        string
	}{
		{"by the letter", "dead drop 3-1 --yes", 0, "L2", "L2\tdead: rejected 422\tdone\t"},
		{"by the entry", "dead drop 1-1 --yes", 0, "L1", "L1\tdead: rejected 422\tdone\t"},
		{"letter and entry alike", "dead drop 4-1 --yes", 0, "L3", "L3\t"},
		{"one letter by two names", "dead drop 1-1 5-5 4-1 3-1 --yes", 3, "L1 L2 L3", "5-5\t-\tnot found"},
		{"a name twice", "dead drop 3-1 3-1 --yes", 0, "L2", "L2\t"},
		{"both names of one letter", "dead requeue 5-1 5-2 --yes", 0, "L4", "L4\t"},
		{"another's entry", "dead drop 2-1 --yes", 1, "", "2-1\t-\trefused\tnames two letters, of orders L1 and L2: give the order's id\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := redistest.Shared(t)
			d := newDesk(t, srv.Addr())
			d.worker() // so that there is a group
			for _, l := range [][3]string{{"2-1", "L1", "1-1"}, {"3-1", "L2", "2-1"}, {"4-1", "L3", "4-1"}, {"5-2", "L4", "5-1"}, {"6-1", "L5", "2-1"}} {
				srv.CLI("XADD", "orderq:{"+d.queue+"}:dead", l[0], "id", l[1], "body", "{}", "reason", "rejected", "status", "422", "entry", l[2])
			}
			d.check(typed{line: tt.line, code: tt.code, out: []string{tt.out}})
			var gone []string
			left := d.letters()
			for _, id := range []string{"L1", "L2", "L3", "L4", "L5"} {
				if !slices.ContainsFunc(left, func(l streamutil.DeadLetter) bool { return l.OrderID == id }) {
					gone = append(gone, id)
				}
			}
			if strings.Join(gone, " ") != tt.gone {
				t.Errorf("letters gone: %q, want %q", gone, tt.gone)
			}
		})
	}
}

func TestRequeueByError(t *testing.T) {
	for _, tt := range []struct {
		line string
		code int
		want []string // the orders that wait afterwards
	}{
		{"dead requeue --error 'rejected 422' --yes", 0, []string{"A-1", "A-2"}},
		{"dead requeue --error rejected --yes", 0, []string{"A-1", "A-2", "A-3", "7-7"}},
		{"dead requeue --error undecodable --yes", 1, nil},
		{"dead requeue --all --yes", 1, []string{"A-1", "A-2", "A-3", "7-7"}}, // the fifth is no order
	} {
		t.Run(tt.line, func(t *testing.T) {
			d := newLetters(t)
			out, errs, err := d.run(words(tt.line)...)
			if code(err) != tt.code {
				t.Errorf("exit code %d, want %d: %v\n%s", code(err), tt.code, err, errs)
			}
			for _, id := range []string{"A-1", "A-2", "A-3", "7-7"} {
				want := streamutil.Dead
				if slices.Contains(tt.want, id) {
					want = streamutil.Waiting
				}
				if got := d.state(id); got != want {
					t.Errorf("%s is %s, want %s", id, got, want)
				}
			}
			if got := strings.Count(out, "\tdone\t"); got != len(tt.want) {
				t.Errorf("%d rows are done, want %d:\n%s", got, len(tt.want), out)
			}
			if tt.code == 1 && !strings.Contains(err.Error(), "is no order that could be sent; orderq dead drop removes it") {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// Why a letter cannot be sent again is what stands against it, not what its reason is.
func TestRequeueOfLettersByHand(t *testing.T) {
	srv := redistest.Shared(t)
	d := newDesk(t, srv.Addr())
	d.worker()
	d.submit("A-1")
	for _, l := range [][]string{{"3-1", "id", "A-1", "reason", "why"}, {"4-1", "id", "no id", "reason", "why"}, {"5-1", "reason", ""}} {
		srv.CLI(append([]string{"XADD", "orderq:{" + d.queue + "}:dead"}, l...)...)
	}
	d.check(typed{line: "dead requeue 3-1 4-1 5-1 --dry-run", code: 1, out: []string{
		"A-1\tdead: why\twould be done", "no id\tdead: why\trefused\tis no order that", "5-1\tdead: \trefused\tis no order that",
	}})
	d.check(typed{line: "dead requeue 3-1 4-1 5-1 --yes", code: 1, out: []string{
		"A-1\tdead: why\trefused\twent on without this letter: orderq show A-1 tells where it is; orderq dead drop 3-1 removes the letter\n",
		"no id\tdead: why\trefused\tis no order that", "5-1\tdead: \trefused\tis no order that",
	}})
}

func TestRequeueOfNothing(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "dead requeue --all --yes -o json", out: []string{"[]\n"}, err: []string{"nothing was there to change\n"}})
	d.check(typed{line: "dead requeue --error poison --yes", code: 3, err: []string{"there are no dead letters"}})
}

// TestRequeueAllGoesThroughPagesOnce also kills each order again as soon as it
// waits: what dies meanwhile is not met a second time.
func TestRequeueAllGoesThroughPagesOnce(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	const n = 230 // three pages
	for i := range n {
		w.bury(500, fmt.Sprintf("A-%03d", i))
	}
	upTo := d.letters()[n-1].ID
	ctx, stop := context.WithCancel(t.Context())
	gone := make(chan int, 1)
	go func() { gone <- w.buryAgain(ctx) }()
	out := d.must("dead", "requeue", "--all", "--yes", "--no-headers")
	stop()
	if again := <-gone; again == 0 {
		t.Error("no order died again while the others were requeued")
	}
	if rows := strings.Count(out, "\tdone\t"); rows != n || strings.Count(out, "\n") != n {
		t.Errorf("%d of %d rows are done, want %d", rows, strings.Count(out, "\n"), n)
	}
	for _, l := range d.letters() {
		if l.ID.Compare(upTo) <= 0 {
			t.Errorf("letter %s was there at the start and is still", l.ID)
		}
	}
}

// buryAgain rejects whatever waits, until it is told to stop.
func (w *worker) buryAgain(ctx context.Context) int {
	n := 0
	for ctx.Err() == nil {
		w.k++
		taken, err := w.q.Take(ctx, streamutil.Take{Consumer: "w", K: w.k, N: 1, Epoch: w.slot.Epoch, Slot: w.slot.Number})
		if err != nil {
			continue
		}
		w.slot = taken.Slot
		for _, o := range taken.Orders {
			_, err := w.q.Settle(ctx, streamutil.Settlement{
				Consumer: "w", K: w.k, Entry: o.Entry, OrderID: o.ID, Outcome: streamutil.OutcomeRejected, Status: 500,
			})
			if err == nil {
				n++
			}
		}
	}
	return n
}

// Letters that were named stand before all that comes now just as others do.
func TestRequeueOfManyNamesKeepsToAShareOfThePace(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	names := make([]string, 11)
	for i := range names {
		names[i] = fmt.Sprintf("A-%d", i)
	}
	w.bury(500, names...)
	d.must("pace", "100/s")
	d.check(typed{
		line: "dead requeue --yes " + strings.Join(names, " "), out: []string{"A-10\t"},
		err: []string{"the first 10 at once, then one every 20 ms: ", "11 done\n"},
	})
}

func TestRequeueTellsHowToUndoMany(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	w.bury(500, "A-1", "A-2", "A-3", "A-4", "A-5", "A-6")
	d.must("pause", "--reason", "lunch")
	d.check(typed{
		line: "dead requeue --all --yes", out: []string{"A-6\t"},
		err: []string{"6 done\n", "undo: orderq cancel ORDER_ID...", "note: the queue is paused"},
	})
}

func TestDrop(t *testing.T) {
	d := newLetters(t)
	rubbish := d.letters()[4]
	d.check(typed{line: "dead drop A-1 --delivered --dry-run", out: []string{"A-1\tdead: rejected 422\twould be done\trecorded as delivered\n"}})
	if n := len(d.letters()); n != 5 {
		t.Fatalf("a dry run left %d letters of 5", n)
	}
	d.check(typed{
		line: "dead drop A-1 none --yes --reason 'ordered anew'", code: 3,
		out: []string{"A-1\tdead: rejected 422\tdone\t-\nnone\t-\tnot found\t"},
		err: []string{"1 done, 1 not found\n", "cannot be undone; an order that the partner does not have may be submitted again under a new id\n", "not done: none"},
	})
	d.check(typed{line: "dead drop A-2 --delivered --yes", out: []string{"A-2\tdead: rejected 422\tdone\trecorded as delivered\n"}})
	d.check(typed{line: "dead drop --yes " + rubbish.ID.String(), out: []string{rubbish.ID.String() + "\tdead: undecodable\tdone\t"}})
	d.states(map[string]streamutil.State{"A-1": "dead", "A-2": "delivered", "A-3": "dead"})
	var left []string
	for _, l := range d.letters() {
		left = append(left, l.OrderID)
	}
	if !slices.Equal(left, []string{"A-3", "7-7"}) {
		t.Errorf("letters left: %q", left)
	}
}

func TestChangesWithoutRedisStop(t *testing.T) {
	srv := redistest.Start(t)
	d := newDesk(t, srv.Addr())
	srv.Kill()
	for _, line := range []string{
		"pause --reason x", "resume", "pace", "pace 1/s", "pace reset", "retry A-1", "cancel A-1 A-2 --yes",
		"dead list", "dead list --group-by error", "dead show A-1", "dead requeue A-1 --yes", "dead requeue --all --yes", "dead drop A-1 --yes",
	} {
		out, _, err := d.run(words(line)...)
		if code(err) != 1 || !strings.Contains(err.Error(), "redis.addresses in orderq config print") {
			t.Errorf("orderq %s: %v; want what to look at", line, err)
		}
		if out != "" {
			t.Errorf("orderq %s: data where there is none: %q", line, out)
		}
	}
	_, _, err := d.run("cancel", "A-1", "A-2", "--yes")
	if err == nil || !strings.HasPrefix(err.Error(), "stopped with 2 left: ") {
		t.Errorf("got %v; want that it stopped at the first", err)
	}
}
