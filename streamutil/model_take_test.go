package streamutil_test

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"orderq/streamutil"
)

func (m *model) take(name string, k int64, n int, epoch string, number int, holding []string) string {
	m.checkEpoch(false)
	me := m.consumers[name]
	if me == nil {
		return "ErrGone"
	}
	if k <= me.k {
		return "ErrStale"
	}
	me.k = k
	for _, e := range m.heldBy(name) {
		if slices.Contains(holding, e) {
			continue
		}
		if due, ok := m.makeDue(e); ok {
			m.records[due.order].add("attempts", -1)
		}
	}
	if n == 0 {
		return "settled"
	}
	if refusal := m.refuse(epoch, number); refusal != "" {
		return refusal
	}
	t, room := m.interval(), min(n, m.maxInFlight-m.inFlight())
	if t > 0 {
		room = min(room, int(max(100*time.Millisecond/t, 1)))
	}
	if room <= 0 {
		return "blocked max_in_flight unknown"
	}
	_, probing := m.control["breaker"]
	if probing {
		room = 1 - m.inFlight()
	}
	if room <= 0 {
		return "blocked breaker unknown"
	}
	taken := m.handOut(name, k, room)
	if len(taken) == 0 {
		return m.empty()
	}
	if probing {
		m.control["probe"] = m.records[taken[0]]["entry"]
		if m.overtakes() {
			m.control["overtaker"] = m.control["probe"]
		}
	}
	if t == 0 {
		m.state, m.holder, m.lastStart = "free", "", -1
	} else {
		m.number++
		m.state, m.holder = "granted", name
		m.lastStart = time.Duration(len(taken)-1)*t + streamutil.Grace
	}
	text := "taken"
	for _, order := range taken {
		text += fmt.Sprintf(" %s#%d", order, m.records[order].num("attempts"))
	}
	return text
}

// refuse says why nothing may be taken now, if so.
func (m *model) refuse(epoch string, number int) string {
	t := m.interval()
	switch {
	case epoch != m.epoch():
		return "told " + m.slot()
	case !m.open:
		return "closed " + m.slot()
	case t > 0 && m.state == "free":
		m.number++
		m.state, m.lastStart = "granted", streamutil.Grace
		return "told " + m.slot()
	case t > 0 && number != m.number:
		return "told " + m.slot()
	case m.blocked() != "":
		return "blocked " + m.blocked()
	}
	return ""
}

// overtakes: from the fifth failed probe on, every second one takes another order.
func (m *model) overtakes() bool {
	_, open := m.control["breaker"]
	failed := m.control.num("breaker")
	return open && failed >= 5 && failed%2 == 1
}

// handOut gives what is due, oldest first, then what is new. A probe that
// overtakes comes to what it overtook last of all.
func (m *model) handOut(name string, k int64, room int) []string {
	var taken []string
	give := func(e modelEntry) {
		if order, ok := m.give(e, name, k); ok {
			taken = append(taken, order)
		}
	}
	due, overtaken := m.split(m.dueNow())
	giveDue := func(ids []string) {
		for _, id := range ids {
			if len(taken) == room {
				return
			}
			e, ok := m.entry(id)
			if !ok {
				m.vanished(id)
				continue
			}
			delete(m.due, id)
			give(e)
		}
	}
	giveDue(due)
	for _, e := range slices.Clone(m.stream) {
		if e.number <= m.read {
			continue
		}
		if len(taken) == room {
			break
		}
		m.read = e.number
		if e.seq > 0 {
			m.takenUpTo(e.seq)
		}
		give(e)
	}
	giveDue(overtaken)
	return taken
}

// takenUpTo: the numbers that are missing were cancelled, or deleted by hand.
func (m *model) takenUpTo(seq int) {
	missing := seq - m.stats.num("taken") - 1
	m.stats["taken"] = strconv.Itoa(seq)
	if missing <= 0 {
		return
	}
	deleted := max(missing-m.stats.num("skipped"), 0)
	m.stats.add("skipped", deleted-missing)
	if deleted > 0 {
		m.stats.add("vanished", deleted)
		m.note(fmt.Sprintf("vanished orders=%d", deleted))
	}
}

// split tells what is due from what is passed by: by an overtaking probe all up
// to the one that overtook last, and without one the first; else an order that
// made the last two attempts, both in vain.
func (m *model) split(due []string) (first, passed []string) {
	_, open := m.control["breaker"]
	inTheWay := func(string) bool { return false }
	switch {
	case len(due) == 0:
	case m.overtakes():
		last := due[0]
		if id := m.control["overtaker"]; id != "" {
			last = id
		}
		inTheWay = func(id string) bool { return m.born[id] <= m.born[last] }
	case (!open || m.control["alone"] != "") && m.control.num("suspicion") >= 2:
		inTheWay = func(id string) bool { return id == m.control["suspect"] }
	}
	for _, id := range due {
		if inTheWay(id) {
			passed = append(passed, id)
		} else {
			first = append(first, id)
		}
	}
	return first, passed
}

// give hands an entry to a consumer, or sets it aside if it is no order.
func (m *model) give(e modelEntry, name string, k int64) (string, bool) {
	if e.order == "" || e.order == "a b" || e.body == "" {
		m.bury(e, "undecodable", nil)
		return "", false
	}
	rec := m.records[e.order]
	if rec == nil {
		rec = fields{"entry": e.name, "seq": strconv.Itoa(e.seq), "accepted": "set"}
		m.records[e.order] = rec
	}
	if rec["entry"] != e.name {
		m.bury(e, "duplicate", nil)
		return "", false
	}
	rec.add("attempts", 1)
	rec.set("state", "in_flight", "consumer", name, "take", strconv.FormatInt(k, 10), "taken", "set")
	rec.drop("not_before")
	delete(m.quiet, e.order)
	m.pending[e.name] = name
	return e.order, true
}

// empty tells when the next parked entry is due, and after what new ones come.
func (m *model) empty() string {
	wait, last := "unknown", "0-0"
	if len(m.due) > 0 {
		wait = "1h0m0s"
	}
	if n := len(m.stream); n > 0 {
		last = m.stream[n-1].name
	}
	return "empty " + wait + " after " + last
}
