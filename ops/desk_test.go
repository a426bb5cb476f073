package ops_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// code is the exit code that an error asks for.
func code(err error) int {
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &coded):
		return coded.ExitCode()
	}
	return 1
}

// typed is a command line and what must come of it. Parts are what the output
// must contain, in this order.
type typed struct {
	line     string // words; 'several words' are one
	code     int
	out, err []string
}

// check types a command line. What its error says counts as standard error.
func (d *desk) check(c typed) {
	d.t.Helper()
	out, errs, err := d.run(words(c.line)...)
	if got := code(err); got != c.code {
		d.t.Errorf("orderq %s: exit code %d, want %d: %v", c.line, got, c.code, err)
	}
	if err != nil {
		errs += err.Error() + "\n"
	}
	d.has(c.line, "stdout", out, c.out)
	d.has(c.line, "stderr", errs, c.err)
}

func (d *desk) has(line, where, text string, parts []string) {
	d.t.Helper()
	if len(parts) == 0 && where == "stdout" && text != "" {
		d.t.Errorf("orderq %s: data where there is none: %q", line, text)
	}
	rest := text
	for _, part := range parts {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			d.t.Errorf("orderq %s: %s lacks %q (in this order: %q):\n%s", line, where, part, parts, text)
			return
		}
		rest = after
	}
}

func words(line string) []string {
	var list []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			list = append(list, part)
			continue
		}
		list = append(list, strings.Fields(part)...)
	}
	return list
}

func (d *desk) submit(ids ...string) {
	d.t.Helper()
	for _, id := range ids {
		if _, err := d.q.Enqueue(d.t.Context(), streamutil.NewOrder{ID: id, Body: []byte(`{"id":"` + id + `"}`)}); err != nil {
			d.t.Fatal(err)
		}
	}
}

// worker is a consumer without a pace.
type worker struct {
	*desk
	k    int64
	slot streamutil.Slot
}

func (d *desk) worker() *worker {
	d.t.Helper()
	slot, err := d.q.Register(d.t.Context(), streamutil.Identity{Name: "w", Host: "shop-1", Pace: streamutil.Unlimited, Lease: time.Hour})
	if err != nil {
		d.t.Fatal(err)
	}
	return &worker{desk: d, slot: slot}
}

// next takes an order.
func (w *worker) next() streamutil.Order {
	w.t.Helper()
	w.k++
	taken, err := w.q.Take(w.t.Context(), streamutil.Take{Consumer: "w", K: w.k, N: 1, Epoch: w.slot.Epoch, Slot: w.slot.Number})
	if err != nil || len(taken.Orders) != 1 {
		w.t.Fatalf("take: %+v, %v", taken, err)
	}
	w.slot = taken.Slot
	return taken.Orders[0]
}

// ends settles the order taken last.
func (w *worker) ends(o streamutil.Order, s streamutil.Settlement) {
	w.t.Helper()
	s.Consumer, s.K, s.Entry, s.OrderID = "w", w.k, o.Entry, o.ID
	if _, err := w.q.Settle(w.t.Context(), s); err != nil {
		w.t.Fatal(err)
	}
}

// bury submits orders and lets the partner reject them.
func (w *worker) bury(status int, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		w.submit(id)
		w.ends(w.next(), streamutil.Settlement{Outcome: streamutil.OutcomeRejected, Status: status})
	}
}

// state is where an order is; none if nothing is known of it.
func (d *desk) state(id string) streamutil.State {
	d.t.Helper()
	rec, err := d.q.Lookup(d.t.Context(), id)
	if errors.Is(err, streamutil.ErrNotFound) {
		return "none"
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return rec.State
}

func (d *desk) states(want map[string]streamutil.State) {
	d.t.Helper()
	for id, state := range want {
		if got := d.state(id); got != state {
			d.t.Errorf("order %s is %s, want %s", id, got, state)
		}
	}
}

func (d *desk) snapshot() streamutil.Snapshot {
	d.t.Helper()
	s, err := d.q.Inspect(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *desk) letters() []streamutil.DeadLetter {
	d.t.Helper()
	list, err := d.q.DeadLetters(d.t.Context(), streamutil.EntryID{}, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

// orders is a queue with an order in every state.
func (d *desk) orders() {
	w := d.worker()
	w.bury(422, "dead")
	w.submit("delivered")
	w.ends(w.next(), streamutil.Settlement{Outcome: streamutil.OutcomeDelivered, Status: 200})
	w.submit("cancelled")
	if _, err := d.q.Cancel(d.t.Context(), "cancelled", streamutil.Act{}); err != nil {
		d.t.Fatal(err)
	}
	for _, id := range []string{"parked", "parked-2"} {
		w.submit(id)
		w.ends(w.next(), streamutil.Settlement{Outcome: streamutil.OutcomeFailed, Status: 500, Answer: "try later", Delay: time.Hour})
	}
	w.submit("in-flight")
	w.next()
	w.submit("waiting", "waiting-2")
	d.states(map[string]streamutil.State{
		"dead": "dead", "delivered": "delivered", "cancelled": "cancelled", "parked": "parked",
		"parked-2": "parked", "in-flight": "in_flight", "waiting": "waiting", "waiting-2": "waiting",
	})
}

func newOrders(t *testing.T, addr string) *desk {
	d := newDesk(t, addr)
	d.orders()
	return d
}
