package streamutil_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkEpoch begins a new epoch if Redis may have forgotten something.
func (m *model) checkEpoch(registering bool) {
	if !m.group {
		m.createGroup()
	} else if m.known && !m.otherServer {
		return
	}
	quiet := registering && len(m.consumers) == 0 && m.inFlight() == 0
	if m.known {
		m.note("epoch state=" + map[bool]string{true: "open", false: "closed"}[quiet])
	}
	m.epochs++
	m.known, m.otherServer, m.open = true, false, quiet
	m.number, m.state, m.holder, m.lastStart = 0, "granted", "", -1
}

// createGroup: whatever the stream holds is unfinished, and new again.
func (m *model) createGroup() {
	m.group, m.read = true, 0
	clear(m.pending)
	clear(m.due)
	taken := m.stats.num("seq")
	if len(m.stream) > 0 && m.stream[0].seq > 0 {
		taken = m.stream[0].seq - 1
	}
	m.stats["taken"] = strconv.Itoa(taken)
	if m.known {
		m.note("group state=created again")
	}
}

func (m *model) enqueue(order, body, known string) string {
	if rec, ok := m.records[order]; ok {
		if rec["hash"] != "" && known != body {
			return "ErrConflict"
		}
		if state := m.presentState(rec); state == rec["state"] || state != "cancelled" {
			return fmt.Sprintf("duplicate %s %s %s", rec["entry"], state, m.placeOf(rec, state))
		}
	}
	if len(m.stream) >= m.maxBacklog {
		return "ErrFull"
	}
	name, seq := m.append(order, body)
	m.stats.add("accepted", 1)
	m.records[order] = fields{
		"entry": name, "hash": "set", "seq": strconv.Itoa(seq),
		"state": "waiting", "attempts": "0", "accepted": "set",
	}
	return fmt.Sprintf("accepted %s waiting %s", name, m.place(seq))
}

func (m *model) placeOf(rec fields, state string) string {
	if state != "waiting" {
		return "position=0"
	}
	return m.place(rec.num("seq"))
}

func (m *model) lookup(order string) string {
	rec, ok := m.records[order]
	if !ok {
		return "ErrNotFound"
	}
	state := m.presentState(rec)
	text := fmt.Sprintf("%s %s %s attempts=%d", rec["entry"], state, m.placeOf(rec, state), rec.num("attempts"))
	if hour, parked := m.due[rec["entry"]]; parked && state == "parked" {
		text += " due=" + map[bool]string{true: "1h0m0s", false: "0s"}[hour]
	}
	if rec["outcome"] != "" {
		text += fmt.Sprintf(" last=%s/%d/%s", rec["outcome"], rec.num("status"), rec["answer"])
	}
	if state == "in_flight" {
		text += " with=" + rec["consumer"]
	}
	return text
}

func (m *model) register(name string, pace time.Duration) string {
	m.checkEpoch(true)
	if m.consumers[name] == nil {
		m.consumers[name] = &modelConsumer{pace: pace}
		m.setPace()
	}
	return m.slot()
}

func (m *model) heartbeat(name string, beat int64, pace time.Duration) string {
	m.checkEpoch(false)
	me := m.consumers[name]
	if me == nil {
		return "ErrGone"
	}
	me.beat, me.pace = max(me.beat, beat), pace
	m.setPace()
	beats := map[string]int64{}
	for _, holder := range m.pending {
		if holder != "parked" {
			beats[holder] = -1
		}
	}
	for n, c := range m.consumers {
		beats[n] = c.beat
	}
	text := fmt.Sprintf("%s; %d due;", m.slot(), len(m.dueNow()))
	for _, n := range slices.Sorted(maps.Keys(beats)) {
		text += fmt.Sprintf(" %s=%d", n, beats[n])
	}
	return text
}

func (m *model) openEpoch(epoch string) string {
	m.checkEpoch(false)
	m.open = m.open || epoch == m.epoch()
	return m.slot()
}

func (m *model) leave(name string) string {
	m.checkEpoch(false)
	delete(m.consumers, name)
	m.setPace()
	return fmt.Sprintf("left %d", len(m.heldBy(name)))
}

func (m *model) started(epoch string, number int) string {
	m.checkEpoch(false)
	if epoch == m.epoch() && number == m.number && m.holder != "" {
		m.state = "started"
	}
	return m.slot()
}

// leaveAlone: an uncertain order is not to be sent again for an hour.
func (m *model) leaveAlone(rec fields, order string) {
	rec["not_before"], m.quiet[order] = "set", true
}

// park makes an entry due, now or in an hour, under nobody's name.
func (m *model) park(e modelEntry, hour bool) {
	m.pending[e.name] = "parked"
	m.due[e.name] = hour
	rec := m.records[e.order]
	rec["state"] = "parked"
	rec.drop("consumer", "take")
}

// bury sets an entry aside. rec is the order's record, if the entry stands for it.
func (m *model) bury(e modelEntry, reason string, rec fields) {
	letter := map[string]string{
		"id": e.order, "body": e.body, "reason": reason,
		"status": rec["status"], "answer": rec["answer"], "attempts": strconv.Itoa(rec.num("attempts")),
	}
	m.letters[e.name] = flat(letter, "id", "body", "reason", "status", "answer", "attempts")
	m.remove(e.name)
	m.stats.add("dead", 1)
	m.note("dead " + strings.TrimPrefix(flat(map[string]string{"order": e.order, "entry": e.name, "reason": reason},
		"order", "entry", "reason"), " "))
	if rec != nil {
		rec.set("state", "dead", "letter", "set", "finished", "set")
		rec.drop("consumer", "take")
	}
}

// vanished: someone deleted the entry by hand while it was pending.
func (m *model) vanished(name string) {
	delete(m.pending, name)
	delete(m.due, name)
	m.stats.add("vanished", 1)
	m.note("vanished entry=" + name)
}

// makeDue takes an entry from whoever has it; false if it is gone.
func (m *model) makeDue(name string) (modelEntry, bool) {
	e, ok := m.entry(name)
	if !ok {
		m.vanished(name)
		return e, false
	}
	m.park(e, false)
	return e, true
}
