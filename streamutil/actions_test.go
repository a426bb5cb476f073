package streamutil_test

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"orderq/streamutil"
)

// action is one thing that can happen next.
type action struct {
	name   string
	weight int // how likely, beside the others
	can    func() bool
	act    func()
}

func (m *machine) actions(restart func()) []action {
	always := func() bool { return true }
	someone := func() bool { return len(m.registered()) > 0 }
	holding := func() bool { return len(m.holders()) > 0 }
	return []action{
		{"submit", 16, always, m.submits},
		{"take", 36, someone, m.takes},
		{"settle", 30, func() bool { return len(m.having()) > 0 }, m.settles},
		{"register", 6, always, m.registers},
		{"heartbeat", 8, someone, m.beats},
		{"started", 6, someone, m.starts},
		{"open", 10, someone, m.opens},
		{"release", 6, holding, m.releases},
		{"reclaim", 6, func() bool { return len(m.watched()) > 0 }, m.reclaims},
		{"leave", 1, someone, m.leaves},
		{"crash", 2, someone, m.crashes},
		{"death", 4, holding, m.dies},
		{"late call", 16, func() bool { return len(m.delayed) > 0 }, m.lateArrives},
		{"look", 6, always, m.looks},
		{"an hour passes", 4, always, m.hour},
		{"add by hand", 3, always, m.addsByHand},
		{"delete by hand", 2, func() bool { return len(m.model.stream) > 0 }, m.deletesByHand},
		{"hands loose", 2, func() bool { return m.model.group && len(m.watched()) > 0 }, m.letsLoose},
		{"sweep", 4, always, m.sweeps},
		{"pause", 2, always, m.pauses},
		{"resume", 4, always, m.resumes},
		{"pace", 3, always, m.paces},
		{"retry", 3, always, m.retries},
		{"cancel", 3, always, m.cancels},
		{"purge", 2, func() bool { return len(m.model.born) > 0 }, m.purges},
		{"import", 3, always, m.imports},
		{"requeue", 5, func() bool { return len(m.model.letters) > 0 }, m.requeues},
		{"drop", 2, func() bool { return len(m.model.letters) > 0 }, m.drops},
		{"new epoch", 2, func() bool { return m.model.known && m.model.group }, m.newEpoch},
		{"restart", 1, func() bool { return m.rarely(9) }, func() { m.restarts(restart) }},
	}
}

// step lets one of the possible things happen, and looks at what is left behind.
func (m *machine) step(actions []action) {
	var names []string
	byName := map[string]func(){}
	for _, a := range actions {
		if a.can() {
			names = append(names, slices.Repeat([]string{a.name}, a.weight)...)
			byName[a.name] = a.act
		}
	}
	byName[one(m, names, "action")]()
	m.check()
}

// rarely is true once in n times.
func (m *machine) rarely(n int) bool {
	return one(m, append(make([]bool, n-1), true), "rarely")
}

// one of so many, all alike; a failing sequence is made simpler towards the
// first. (rapid.SampledFrom prefers the first ones always.)
func one[T any](m *machine, of []T, what string) T {
	return rapid.Custom(func(t *rapid.T) T {
		i := 0
		for range bits.Len(uint(len(of))) + 3 {
			i *= 2
			if rapid.Bool().Draw(t, "bit") {
				i++
			}
		}
		return of[i%len(of)]
	}).Draw(m.rt, what)
}

func (m *machine) those(want func(*process) bool) []*process {
	return slices.DeleteFunc(slices.Clone(m.processes), func(p *process) bool { return !want(p) })
}

// registered are the processes that believe they are.
func (m *machine) registered() []*process {
	return m.those(func(p *process) bool { return p.name != "" })
}

// holders have orders now; having have or had some.
func (m *machine) holders() []*process {
	return m.those(func(p *process) bool { return len(p.held) > 0 })
}

func (m *machine) having() []*process {
	return m.those(func(p *process) bool { return len(p.held)+len(p.past) > 0 })
}

var someOrders = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"}

// submits a new order, a known one again, or another body under a known id.
func (m *machine) submits() {
	order := "o" + one(m, someOrders, "order")
	body := "body"
	if m.rarely(6) {
		body = "other"
	}
	m.send(call{
		text: "submit " + order + " " + body,
		real: func() string { return m.submitBody(order, body) },
		spec: func() string { return m.model.enqueue(order, body, m.bodies[order]) },
		effect: func(answer string) {
			if strings.HasPrefix(answer, "accepted") {
				m.bodies[order] = body
			}
		},
	})
}

// registers under a new name if it has none; again under the one it has otherwise.
func (m *machine) registers() {
	p := one(m, m.processes, "process")
	if p.name == "" {
		p.starts++
		p.name, p.beat, p.k = fmt.Sprintf("c%d.%d", p.number, p.starts), 0, 0
	}
	name, pace := p.name, p.pace
	m.send(call{
		text:  fmt.Sprintf("register %s pace=%v", name, pace),
		real:  func() string { return m.registerAt(name, pace) },
		spec:  func() string { return m.model.register(name, pace) },
		learn: func(string) { p.slot = m.harness.slot },
	})
}

func (m *machine) beats() {
	p := one(m, m.registered(), "process")
	p.beat++
	if m.rarely(6) {
		p.pace = one(m, machinePaces, "pace")
	}
	name, beat, pace := p.name, p.beat, p.pace
	m.send(call{
		text:  fmt.Sprintf("heartbeat %s %d pace=%v", name, beat, pace),
		real:  func() string { return m.beatAt(name, beat, pace) },
		spec:  func() string { return m.model.heartbeat(name, beat, pace) },
		learn: func(answer string) { m.learnSlot(p, name, answer) },
	})
}

// learnSlot keeps the slot that an answer told, or takes note of being gone.
func (m *machine) learnSlot(p *process, name, answer string) {
	switch {
	case p.name != name: // it has another name by now
	case answer == "ErrGone":
		m.lose(p)
	default:
		p.slot = m.harness.slot
	}
}

// lose: the process learns that its name is gone. It stops its calls; what it
// had it may only settle as delivered, or too late.
func (m *machine) lose(p *process) {
	p.past = append(p.past, p.held...)
	p.name, p.held = "", nil
	clear(p.calling)
}

// takes, naming the slot that the process knows, and all that it holds.
func (m *machine) takes() {
	p := one(m, m.registered(), "process")
	if !m.rarely(20) { // else it takes its last number again
		p.k++
	}
	name, k, slot := p.name, p.k, p.slot
	n := one(m, []int{1, 1, 1, 2, 3, 0}, "n")
	var holding []string
	for _, a := range p.held {
		holding = append(holding, a.entry)
	}
	number := int(slot.Number)
	m.send(call{
		text:   fmt.Sprintf("take %s k=%d n=%d slot=%s/%d holding=%v", name, k, n, m.epoch(slot.Epoch), number, holding),
		real:   func() string { return m.takeAt(slot, name, k, n, holding...) },
		spec:   func() string { return m.model.take(name, k, n, m.epoch(slot.Epoch), number, holding) },
		effect: func(answer string) { m.grants(slot, answer) },
		learn:  func(answer string) { m.learnTaken(p, name, k, answer) },
	})
}

// grants checks that a slot is granted once, to a caller who knew the one before.
func (m *machine) grants(known streamutil.Slot, answer string) {
	s := m.harness.slot
	if !strings.HasPrefix(answer, "taken") || s.Interval == 0 {
		return
	}
	name := fmt.Sprintf("%s/%d", s.Epoch, s.Number)
	if m.granted[name] {
		m.fail("a slot was granted twice", "it is %s", m.slotText(s))
	}
	if known.Epoch != s.Epoch || known.Number != s.Number-1 {
		m.fail("a slot was granted to one who did not know the last", "%s knew %s", m.slotText(s), m.slotText(known))
	}
	m.granted[name] = true
}

// learnTaken: the process starts a call for each order it was given.
func (m *machine) learnTaken(p *process, name string, k int64, answer string) {
	if p.name != name || answer == "ErrStale" {
		return
	}
	m.learnSlot(p, name, answer)
	orders, ok := strings.CutPrefix(answer, "taken ")
	if !ok {
		return
	}
	for word := range strings.FieldsSeq(orders) {
		order, _, _ := strings.Cut(word, "#")
		for _, other := range m.processes {
			if other.calling[order] && other != p {
				m.fail("an order is being sent by two at once", "it is %s", order)
			}
		}
		entry := m.model.records[order]["entry"]
		p.held = slices.DeleteFunc(p.held, func(a attempt) bool { return a.entry == entry })
		p.held = append(p.held, attempt{consumer: name, k: k, entry: entry, order: order})
		p.calling[order] = true
	}
}

func (m *machine) starts() {
	p := one(m, m.registered(), "process")
	slot := p.slot
	m.send(call{
		text:  fmt.Sprintf("started %s/%d by %s", m.epoch(slot.Epoch), slot.Number, p.name),
		real:  func() string { return m.startedAt(slot) },
		spec:  func() string { return m.model.started(m.epoch(slot.Epoch), int(slot.Number)) },
		learn: func(string) { p.slot = m.harness.slot },
	})
}

// opens the epoch that the process knows. It has watched it closed for longer
// than any call lasts, so every call has ended if it is the present one.
func (m *machine) opens() {
	p := one(m, m.registered(), "process")
	slot := p.slot
	if !slot.Open && m.epoch(slot.Epoch) == m.model.epoch() {
		for _, q := range m.processes {
			clear(q.calling)
		}
	}
	m.send(call{
		text:  "open " + m.epoch(slot.Epoch) + " by " + p.name,
		real:  func() string { return m.openAt(slot.Epoch) },
		spec:  func() string { return m.model.openEpoch(m.epoch(slot.Epoch)) },
		learn: func(string) { p.slot = m.harness.slot },
	})
}

// settles what the process holds, or what it had under a name it lost.
func (m *machine) settles() {
	p := one(m, m.having(), "process")
	from := p.held
	if len(p.past) > 0 && (len(from) == 0 || m.rarely(4)) {
		from = p.past
	}
	a := one(m, from, "attempt")
	v := m.verdict()
	delete(p.calling, a.order) // the call has ended
	m.send(call{
		text:  fmt.Sprintf("settle %+v %+v", a, v),
		real:  func() string { return m.settleAttempt(a, v) },
		spec:  func() string { return m.model.settle(a, v) },
		learn: func(string) { p.drop(a) },
	})
}

// machineStrikes: few, so that random sequences reach them.
var machineStrikes = []int{1, 2, 2, 3}

// verdict is what a partner may say, and how the consumer takes it.
func (m *machine) verdict() verdict {
	outcome := one(m, []streamutil.Outcome{
		streamutil.OutcomeDelivered, streamutil.OutcomeFailed, streamutil.OutcomeUncertain,
		streamutil.OutcomeFailed, streamutil.OutcomeUnavailable, streamutil.OutcomeDelivered,
		streamutil.OutcomeThrottled, streamutil.OutcomeUnauthorized, streamutil.OutcomeRejected,
	}, "outcome")
	status, answer := statusOf(outcome)
	return verdict{
		outcome: outcome, status: status, answer: answer, hour: one(m, []bool{false, true}, "in an hour"),
		cut: m.rarely(8), buryUnsure: m.rarely(8), modelStrikes: one(m, machineStrikes, "strikes"),
	}
}

func (p *process) drop(a attempt) {
	p.held = slices.DeleteFunc(p.held, func(h attempt) bool { return h == a })
}

// releases some of what the process holds; it did not start it, or stopped.
func (m *machine) releases() {
	p := one(m, m.holders(), "process")
	k := one(m, p.held, "attempt").k
	var back []attempt
	var ids []string
	for _, a := range p.held {
		if a.k == k {
			back, ids = append(back, a), append(ids, a.entry)
			delete(p.calling, a.order)
		}
	}
	name := p.name
	m.send(call{
		text: fmt.Sprintf("release %s k=%d %v", name, k, ids),
		real: func() string { return m.release(name, k, ids...) },
		spec: func() string { return m.model.release(name, k, back) },
		learn: func(answer string) {
			for _, a := range back {
				p.drop(a)
			}
			if p.name == name && answer == "ErrGone" {
				m.lose(p)
			}
		},
	})
}
