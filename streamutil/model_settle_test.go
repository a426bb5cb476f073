package streamutil_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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

// verdict is what a settlement says: see streamutil.Settlement.
type verdict struct {
	outcome      streamutil.Outcome
	status       int
	answer       string
	hour         bool // it is due in an hour, or asked for that long, else now
	cut          bool
	buryUnsure   bool
	modelStrikes int // how many make it dead
}

func (m *model) settle(a attempt, v verdict) string {
	m.checkEpoch(false)
	status := strconv.Itoa(v.status)
	if v.outcome == streamutil.OutcomeDelivered {
		return m.deliver(a, status, v.answer)
	}
	rec := m.records[a.order]
	if rec["entry"] != a.entry || rec["consumer"] != a.consumer || rec["take"] != strconv.FormatInt(a.k, 10) {
		return strings.TrimSpace("stray " + rec["state"])
	}
	e, exists := m.entry(a.entry)
	if !exists {
		m.vanished(a.entry)
		rec.set("state", "cancelled", "outcome", string(v.outcome), "status", status, "answer", v.answer,
			"finished", "set", "expires", "72h0m0s")
		rec.drop("consumer", "take")
		m.stats.add("cancelled", 1)
		m.noteAttempt(a, v.outcome, "cancelled", status)
		return "ok cancelled"
	}
	if e.order != a.order || !m.holds(a.consumer, a.entry) {
		return strings.TrimSpace("stray " + rec["state"])
	}
	rec.set("outcome", string(v.outcome), "status", status, "answer", v.answer)
	state, effect := m.consequences(e, rec, v)
	m.noteAttempt(a, v.outcome, state, status)
	return "ok " + state + effect
}

// consequences are an attempt's that did not deliver: the order's state, and what
// came of it for all.
func (m *model) consequences(e modelEntry, rec fields, v verdict) (state, effect string) {
	seen, hadSeen := rec["seen"]
	delivered := m.stats.num("delivered")
	if v.outcome != streamutil.OutcomeRejected {
		rec["seen"] = strconv.Itoa(delivered)
	}
	switch v.outcome {
	case streamutil.OutcomeRejected:
		m.bury(e, string(v.outcome), rec)
		return "dead", ""
	case streamutil.OutcomeThrottled:
		n := m.control.add("throttles", 1)
		m.moments["hold_until"] = true
		m.park(e, false)
		if v.hour {
			return "parked", ", hold 1h0m0s"
		}
		return "parked", ", hold " + holdText(n-1)
	case streamutil.OutcomeUnauthorized:
		m.park(e, false)
		return "parked", m.refused(v.status)
	default:
		return m.notThrough(e, rec, v, hadSeen, delivered > atoi(seen))
	}
}

// notThrough is what follows from an attempt that failed, was unavailable or
// uncertain.
func (m *model) notThrough(e modelEntry, rec fields, v verdict, tried, others bool) (state, effect string) {
	if tried && others && !v.cut {
		rec.add("strikes", 1)
	}
	uncertain := v.outcome == streamutil.OutcomeUncertain
	effect = m.trip(e, uncertain, v.cut)
	if rec.num("strikes") >= v.modelStrikes || (uncertain && v.buryUnsure) {
		m.bury(e, string(v.outcome), rec)
		return "dead", effect
	}
	hour := v.hour || uncertain
	if _, open := m.control["breaker"]; open && rec.num("strikes") == 0 {
		hour = m.moments["breaker_until"] || uncertain
	}
	m.park(e, hour)
	if uncertain {
		m.leaveAlone(rec, e.order)
	}
	return "parked", effect
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// refused: the queue pauses itself, unless it is paused.
func (m *model) refused(status int) string {
	if m.control["paused"] != "" && m.lasts("pause_until") {
		return ""
	}
	m.control.set("paused", "credentials", "pause_who", "orderq", "pause_why", fmt.Sprintf("the partner answered %d", status))
	delete(m.moments, "pause_until")
	m.note("pause reason=credentials who=orderq")
	return ", credentials"
}

// trip counts an attempt that did not get through.
func (m *model) trip(e modelEntry, uncertain, cut bool) string {
	_, open := m.control["breaker"]
	if cut || (open && m.control["probe"] != e.name) {
		return ""
	}
	state := "still open"
	if m.control["suspect"] != e.name {
		m.control.set("suspect", e.name, "suspicion", "0")
	}
	inARow := m.control.add("suspicion", 1)
	if !open {
		if m.control.add("failures", 1) < 3 {
			return ""
		}
		state = "open"
		m.control["breaker"] = "-1"
		if inARow >= 3 {
			m.control["alone"] = e.name
		}
	}
	if m.control["alone"] != e.name {
		m.control.drop("alone")
	}
	failed := m.control.add("breaker", 1)
	m.moments["breaker_until"] = true
	m.control.drop("probe")
	m.note("breaker state=" + state)
	if uncertain {
		return ", open 1h0m0s" // as long as the order is to be left alone
	}
	return ", open " + holdText(failed)
}

// closeBreaker: what an outage has parked is due, but for what is to be left alone
// and what speaks against an order itself.
func (m *model) closeBreaker() bool {
	_, open := m.control["breaker"]
	m.control.drop("breaker", "probe", "overtaker", "failures", "throttles", "suspect", "suspicion", "alone")
	delete(m.moments, "breaker_until")
	if !open {
		return false
	}
	m.note("breaker state=closed")
	for id := range m.due {
		if e, exists := m.entry(id); exists && m.records[e.order].num("strikes") == 0 {
			m.due[id] = m.due[id] && m.quiet[e.order]
		}
	}
	return true
}

// holdText is how long the nth hold in a row lasts.
func holdText(n int) string { return min(time.Second<<n, time.Minute).String() }

// ours: the consumer holds the entry by this very take.
func (m *model) ours(a attempt) bool {
	e, ok := m.entry(a.entry)
	rec := m.records[a.order]
	return ok && e.order == a.order && rec["entry"] == a.entry && rec["consumer"] == a.consumer &&
		rec["take"] == strconv.FormatInt(a.k, 10) && m.holds(a.consumer, a.entry)
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
	if s := rec["state"]; s == "dead" || s == "cancelled" {
		m.stats.add(s, -1)
		if rec["letter"] != "" {
			delete(m.letters, rec["entry"])
		}
	}
	rec.set("state", "delivered", "outcome", "delivered", "status", status, "answer", answer,
		"finished", "set", "expires", "72h0m0s")
	rec.drop("consumer", "take", "letter")
	m.stats.add("delivered", 1)
	m.noteAttempt(a, streamutil.OutcomeDelivered, "delivered", status)
	if m.closeBreaker() {
		return "ok delivered, closed"
	}
	return "ok delivered"
}

func (m *model) removeOwn(entry, order string) {
	if e, ok := m.entry(entry); ok && e.order == order {
		m.remove(entry)
	}
}

func (m *model) noteAttempt(a attempt, outcome streamutil.Outcome, state, status string) {
	m.note(fmt.Sprintf("attempt order=%s entry=%s consumer=%s outcome=%s state=%s status=%s attempt=%d",
		a.order, a.entry, a.consumer, outcome, state, status, m.records[a.order].num("attempts")))
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

func (m *model) reclaim(name string, beat int64, p streamutil.Policy) string {
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
		if !ok {
			continue
		}
		rec := m.records[e.order]
		if p.Quiet > 0 {
			m.due[id] = true
			m.leaveAlone(rec, e.order)
		}
		if reason := m.fatal(rec, p); reason != "" {
			m.bury(e, reason, rec)
			dead++
			continue
		}
		due++
	}
	delete(m.consumers, name)
	m.setPace()
	m.note(fmt.Sprintf("reclaim consumer=%s due=%d dead=%d", name, due, dead))
	return fmt.Sprintf("due %d dead %d", due, dead)
}

// fatal is why an order is dead now whose consumer died with it; empty if it is not.
func (m *model) fatal(rec fields, p streamutil.Policy) string {
	rec.set("outcome", "uncertain", "seen", strconv.Itoa(m.stats.num("delivered")))
	rec.drop("status", "answer")
	deaths, strikes := rec.add("deaths", 1), rec.add("strikes", 1)
	switch {
	case deaths >= modelDeaths:
		return "poison"
	case strikes >= p.MaxStrikes || p.BuryUncertain:
		return "uncertain"
	}
	return ""
}
