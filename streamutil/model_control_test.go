package streamutil_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderq/streamutil"
)

func (m *model) pause(hour bool) string {
	m.control.set("paused", "paused", "pause_who", operator.Who, "pause_why", operator.Why)
	m.setMoment("pause_until", hour)
	m.note("pause " + m.by("ms", hours(hour).Milliseconds()))
	return "paused"
}

func (m *model) resume() string {
	var ended []string
	if m.control["paused"] != "" && m.lasts("pause_until") {
		ended = append(ended, m.control["paused"])
	}
	if m.moments["hold_until"] {
		ended = append(ended, "hold")
	}
	m.control.drop("paused", "pause_who", "pause_why")
	delete(m.moments, "pause_until")
	delete(m.moments, "hold_until")
	if m.closeBreaker() {
		ended = append(ended, "breaker")
	}
	if len(ended) > 0 {
		m.note("resume who=" + operator.Who + " why=" + operator.Why)
	}
	return strings.TrimSpace("ended " + strings.Join(ended, " "))
}

func (m *model) setPaceOverride(t time.Duration, hour bool) string {
	us := strconv.FormatInt(t.Microseconds(), 10)
	m.control.set("pace_override", us, "pace_who", operator.Who, "pace_why", operator.Why)
	m.setMoment("pace_until", hour)
	m.note("pace " + m.by("ms", hours(hour).Milliseconds()) + " interval=" + us)
	return "set"
}

func (m *model) resetPace() string {
	inForce := m.control["pace_override"] != "" && m.lasts("pace_until")
	m.control.drop("pace_override", "pace_who", "pace_why")
	delete(m.moments, "pace_until")
	if inForce {
		m.note("pace " + m.by("ms", 0) + " interval=-1")
	}
	return "reset"
}

func (m *model) by(name string, n int64) string {
	return fmt.Sprintf("who=%s why=%s %s=%d", operator.Who, operator.Why, name, n)
}

func hours(hour bool) time.Duration {
	if hour {
		return time.Hour
	}
	return 0
}

func (m *model) setMoment(name string, hour bool) {
	delete(m.moments, name)
	if hour {
		m.moments[name] = true
	}
}

func (m *model) retry(order string) string {
	rec, ok := m.records[order]
	if !ok {
		return "ErrNotFound"
	}
	state := m.presentState(rec)
	if state == "parked" {
		m.due[rec["entry"]] = false
		rec.drop("not_before")
		delete(m.quiet, order)
		m.note("retry order=" + order + " who=" + operator.Who + " why=" + operator.Why)
	}
	return "was " + state
}

func (m *model) cancel(order string) string {
	rec, ok := m.records[order]
	if !ok {
		return "ErrNotFound"
	}
	state, attempts := m.presentState(rec), rec.num("attempts")+rec.num("sent")
	if state != "waiting" && state != "parked" {
		return fmt.Sprintf("false was %s, sent %d", state, attempts)
	}
	m.finishOrder(rec, order, state, "cancelled")
	m.note(fmt.Sprintf("cancel order=%s attempt=%d who=%s why=%s", order, attempts, operator.Who, operator.Why))
	return fmt.Sprintf("true was %s, sent %d", state, attempts)
}

func (m *model) finishOrder(rec fields, order, state, final string) {
	m.remove(rec["entry"])
	rec.set("state", final, "finished", "set", "expires", "72h0m0s")
	rec.drop("consumer", "take", "not_before")
	delete(m.quiet, order)
	m.stats.add(final, 1)
	taken, skipped, last := m.stats.num("taken"), m.stats.num("skipped")+1, m.stats.num("seq")
	if state != "waiting" || rec.num("seq") <= taken {
		return
	}
	if taken+skipped == last {
		taken, skipped = last, 0
	}
	m.stats.set("taken", strconv.Itoa(taken), "skipped", strconv.Itoa(skipped))
}

func (m *model) purge(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, m.purgeOne(name))
	}
	return strings.Join(all, " ")
}

func (m *model) purgeOne(name string) string {
	e, exists := m.entry(name)
	if !exists {
		return "gone"
	}
	if with, held := m.pending[name]; held && with != "parked" {
		return "in_flight"
	}
	rec := m.records[e.order]
	if rec == nil || rec["entry"] != name || streamutil.State(rec["state"]).Final() {
		m.remove(name)
		return "removed"
	}
	m.finishOrder(rec, e.order, m.presentState(rec), "cancelled")
	rec.set("purged_by", operator.Who, "purged_why", operator.Why)
	return "cancelled"
}

// letter is a dead letter as the machine came upon it.
type letter struct{ entry, order, reason string }

func (m *model) requeue(l letter) string {
	if _, there := m.letters[l.entry]; !there {
		return "ErrNotFound"
	}
	if l.reason == "undecodable" {
		return "ErrConflict"
	}
	rec := m.records[l.order]
	if rec != nil && (rec["letter"] == "" || rec["entry"] != l.entry) {
		return "ErrConflict"
	}
	body := field(m.letters[l.entry], "body")
	name, seq := m.append(l.order, body)
	if rec == nil {
		rec = fields{"accepted": "set"}
		m.records[l.order] = rec
	}
	if rec["accepted"] == "" {
		rec["accepted"] = "set"
	}
	rec.set("entry", name, "seq", strconv.Itoa(seq), "state", "waiting", "attempts", "0",
		"sent", strconv.Itoa(rec.num("sent")+rec.num("attempts")))
	rec.drop("letter", "finished", "strikes", "deaths", "seen", "not_before", "outcome", "status", "answer", "expires")
	delete(m.quiet, l.order)
	delete(m.letters, l.entry)
	m.stats.add("dead", -1)
	m.note(fmt.Sprintf("requeue order=%s entry=%s who=%s why=%s", l.order, name, operator.Who, operator.Why))
	return "requeued " + name
}

func (m *model) drop(l letter, delivered bool) string {
	if _, there := m.letters[l.entry]; !there {
		return "ErrNotFound"
	}
	delete(m.letters, l.entry)
	state := "dead"
	if delivered {
		state = "delivered"
	}
	if rec := m.records[l.order]; rec["letter"] != "" && rec["entry"] == l.entry {
		rec.drop("letter")
		rec["expires"] = "72h0m0s"
		if delivered {
			rec["state"] = "delivered"
			m.stats.add("dead", -1)
			m.stats.add("delivered", 1)
		}
	}
	text := "drop"
	if l.order != "" {
		text += " order=" + l.order
	}
	m.note(fmt.Sprintf("%s state=%s who=%s why=%s", text, state, operator.Who, operator.Why))
	return "dropped"
}

// sweep finds what somebody took from its consumer by hand.
func (m *model) sweep() string {
	m.checkEpoch(false)
	found := 0
	for _, e := range slices.Clone(m.stream) {
		if !m.stranded(e.name) {
			continue
		}
		found++
		rec := m.records[e.order]
		own := rec["entry"] == e.name
		name := "parked"
		if own && rec["consumer"] != "" && m.consumers[rec["consumer"]] != nil {
			name = rec["consumer"]
		}
		m.pending[e.name] = name
		if name == "parked" {
			if _, due := m.due[e.name]; !due {
				m.due[e.name] = false
			}
			if own {
				m.park(e, m.due[e.name])
			}
		}
		text := "found entry=" + e.name
		if e.order != "" {
			text = "found order=" + e.order + " entry=" + e.name
		}
		m.note(text + " consumer=" + name)
	}
	return fmt.Sprintf("found %d", found)
}

// field reads one of the values that flat has put together.
func field(text, name string) string {
	for word := range strings.FieldsSeq(text) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}
