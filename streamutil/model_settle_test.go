package streamutil_test

import (
	"fmt"
	"strconv"
	"strings"

	"orderq/streamutil"
)

// modelDeaths is how many consumers may die with an order before it is poison.
const modelDeaths = 3

// attempt is one order handed out by one take.
type attempt struct {
	consumer string
	k        int64
	entry    string
	order    string
}

func (m *model) settle(a attempt, outcome streamutil.Outcome, status, answer string, hour bool) string {
	m.checkEpoch(false)
	if outcome == streamutil.OutcomeDelivered {
		return m.deliver(a, status, answer)
	}
	rec := m.records[a.order]
	if !m.ours(a) {
		return strings.TrimSpace("stray " + rec["state"])
	}
	e, _ := m.entry(a.entry)
	rec.set("outcome", string(outcome), "status", status, "answer", answer)
	state := "parked"
	if outcome == streamutil.OutcomeRejected {
		state = "dead"
		m.bury(e, string(outcome), rec)
	} else {
		m.park(e, hour)
	}
	m.noteAttempt(a, outcome, state, status)
	return "ok " + state
}

// ours: the consumer holds the entry by this very take.
func (m *model) ours(a attempt) bool {
	e, ok := m.entry(a.entry)
	rec := m.records[a.order]
	return ok && e.order == a.order && rec["entry"] == a.entry && rec["consumer"] == a.consumer &&
		rec["take"] == strconv.FormatInt(a.k, 10) && m.pending[a.entry] == a.consumer
}

// deliver always counts, once.
func (m *model) deliver(a attempt, status, answer string) string {
	m.removeOwn(a.entry, a.order)
	rec := m.records[a.order]
	if rec == nil {
		rec = fields{"entry": a.entry}
		m.records[a.order] = rec
	}
	if rec["state"] == "delivered" {
		return "ok delivered"
	}
	m.removeOwn(rec["entry"], a.order)
	if rec["state"] == "dead" {
		m.stats.add("dead", -1)
		delete(m.letters, rec["entry"])
	}
	rec.set("state", "delivered", "outcome", "delivered", "status", status, "answer", answer,
		"finished", "set", "expires", "72h0m0s")
	rec.drop("consumer", "take", "letter")
	m.stats.add("delivered", 1)
	m.noteAttempt(a, streamutil.OutcomeDelivered, "delivered", status)
	return "ok delivered"
}

func (m *model) removeOwn(entry, order string) {
	if e, ok := m.entry(entry); ok && e.order == order {
		m.remove(entry)
	}
}

func (m *model) noteAttempt(a attempt, outcome streamutil.Outcome, state, status string) {
	m.note(fmt.Sprintf("attempt order=%s consumer=%s outcome=%s state=%s status=%s attempt=%d",
		a.order, a.consumer, outcome, state, status, m.records[a.order].num("attempts")))
}

func (m *model) release(name string, k int64, attempts []attempt) string {
	m.checkEpoch(false)
	if m.consumers[name] == nil {
		return "ErrGone"
	}
	n := 0
	for _, a := range attempts {
		if m.ours(a) {
			e, _ := m.entry(a.entry)
			m.park(e, false)
			m.records[a.order].add("attempts", -1)
			n++
		}
	}
	return fmt.Sprintf("released %d", n)
}

func (m *model) reclaim(name string, beat int64) string {
	m.checkEpoch(false)
	present := int64(-1)
	if c := m.consumers[name]; c != nil {
		present = c.beat
	}
	if name == "parked" || beat != present {
		return "alive"
	}
	due, dead := 0, 0
	for _, id := range m.heldBy(name) {
		e, ok := m.makeDue(id)
		switch {
		case !ok:
		case m.records[e.order].add("deaths", 1) >= modelDeaths:
			m.bury(e, "poison", m.records[e.order])
			dead++
		default:
			due++
		}
	}
	delete(m.consumers, name)
	m.setPace()
	m.note(fmt.Sprintf("reclaim consumer=%s due=%d dead=%d", name, due, dead))
	return fmt.Sprintf("due %d dead %d", due, dead)
}
