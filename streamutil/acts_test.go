package streamutil_test

import (
	"fmt"
	"maps"
	"slices"

	"orderq/streamutil"
)

// What operators do.

// act makes an operator's call, with the fates that a call has.
func (m *machine) act(text string, real, spec func() string) {
	m.send(call{text: text, real: real, spec: spec})
}

func (m *machine) pauses() {
	hour := one(m, []bool{false, true}, "for an hour")
	m.act(fmt.Sprintf("pause hour=%v", hour),
		func() string { return m.pause(hours(hour)) },
		func() string { return m.model.pause(hour) })
}

func (m *machine) resumes() { m.act("resume", m.resume, m.model.resume) }

func (m *machine) paces() {
	if m.rarely(2) {
		m.act("reset the pace", m.resetPace, m.model.resetPace)
		return
	}
	t, hour := one(m, machinePaces, "pace"), one(m, []bool{false, true}, "for an hour")
	m.act(fmt.Sprintf("pace %v hour=%v", t, hour),
		func() string { return m.setPace(t, hours(hour)) },
		func() string { return m.model.setPaceOverride(t, hour) })
}

func (m *machine) sweeps() { m.act("sweep", m.sweep, m.model.sweep) }

func (m *machine) someOrder() string {
	return one(m, append(slices.Sorted(maps.Keys(m.model.records)), "nobody's"), "order")
}

func (m *machine) retries() {
	order := m.someOrder()
	m.act("retry "+order,
		func() string { return m.retry(order) },
		func() string { return m.model.retry(order) })
}

func (m *machine) cancels() {
	order := m.someOrder()
	m.act("cancel "+order,
		func() string { return m.cancel(order) },
		func() string { return m.model.cancel(order) })
}

// purges some entries, of which one may be finished already.
func (m *machine) purges() {
	names := slices.Sorted(maps.Keys(m.model.born))
	names = slices.Compact(slices.Sorted(slices.Values([]string{one(m, names, "entry"), one(m, names, "entry"), one(m, names, "entry")})))
	m.act(fmt.Sprintf("purge %v", names),
		func() string { return m.purge(names...) },
		func() string { return m.model.purge(names) })
}

// someLetter picks one, in Redis and in the model.
func (m *machine) someLetter() (streamutil.DeadLetter, letter) {
	all := m.letters()
	entry := one(m, slices.Sorted(maps.Keys(all)), "letter")
	l := all[entry]
	return l, letter{entry: entry, order: l.OrderID, reason: l.Reason}
}

func (m *machine) requeues() {
	l, of := m.someLetter()
	m.act(fmt.Sprintf("requeue %+v", of),
		func() string { return m.requeueLetter(l) },
		func() string { return m.model.requeue(of) })
}

func (m *machine) drops() {
	l, of := m.someLetter()
	delivered := m.rarely(2)
	m.act(fmt.Sprintf("drop %+v delivered=%v", of, delivered),
		func() string { return m.did(m.q.Drop(m.t.Context(), l.ID, delivered, operator), "dropped") },
		func() string { return m.model.drop(of, delivered) })
}
