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
		if !slices.Contains(holding, e) {
			m.makeDue(e)
		}
	}
	if n == 0 {
		return "settled"
	}
	if refusal := m.refuse(epoch, number); refusal != "" {
		return refusal
	}
	taken := m.handOut(name, k, min(n, m.maxInFlight-m.inFlight()))
	if len(taken) == 0 {
		return m.empty()
	}
	if m.pace > 0 {
		m.number++
		m.state, m.holder = "granted", name
		m.wait = time.Duration(len(taken))*m.pace + streamutil.Grace
	}
	text := "taken"
	for _, order := range taken {
		text += fmt.Sprintf(" %s#%d", order, m.records[order].num("attempts"))
	}
	return text
}

// refuse says why nothing may be taken now, if so.
func (m *model) refuse(epoch string, number int) string {
	switch {
	case epoch != m.epoch():
		return "told " + m.slot()
	case !m.open:
		return "closed " + m.slot()
	case m.pace > 0 && number != m.number:
		return "told " + m.slot()
	case m.paused:
		return "blocked credentials unknown"
	case m.hold == "hour":
		return "blocked hold 1h0m0s"
	case m.inFlight() >= m.maxInFlight:
		return "blocked max_in_flight unknown"
	}
	return ""
}

// handOut gives what is due, oldest first, then what is new.
func (m *model) handOut(name string, k int64, room int) []string {
	var taken []string
	give := func(e modelEntry) {
		if order, ok := m.give(e, name, k); ok {
			taken = append(taken, order)
		}
	}
	for _, id := range m.dueNow() {
		if len(taken) == room {
			return taken
		}
		e, ok := m.entry(id)
		if !ok {
			m.vanished(id)
			continue
		}
		delete(m.due, id)
		give(e)
	}
	for _, e := range slices.Clone(m.stream) {
		if e.number <= m.read {
			continue
		}
		if len(taken) == room {
			return taken
		}
		m.read = e.number
		if e.seq > 0 {
			m.stats["taken"] = strconv.Itoa(e.seq)
		}
		give(e)
	}
	return taken
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
