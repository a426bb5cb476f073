package streamutil_test

import (
	"fmt"
	"strconv"
	"strings"

	"orderq/streamutil"
)

// importOne is what import.lua does with one order that was handed out twice.
// elsewhere names the entry that it had where it comes from; undo puts in again what
// a purge cancelled.
func (m *model) importOne(order, body, known, state, elsewhere string, undo bool) string {
	if rec, ok := m.records[order]; ok {
		now := m.presentState(rec)
		switch {
		case rec["hash"] != "" && known != body:
			return "conflict " + rec["state"]
		case state == "delivered" && (now == "waiting" || now == "parked"):
			m.finishOrder(rec, order, now, state)
			return "ended"
		case undo && state == "waiting" && now == "cancelled" && rec["purged_by"] != "":
			m.stats.add("cancelled", -1)
			m.stats.add("accepted", -1)
		case state != "waiting" || now == rec["state"] || now != "cancelled":
			return "known " + now
		}
	}
	m.put(order, body, state, elsewhere)
	return "put"
}

func (m *model) put(order, body, state, elsewhere string) {
	rec := fields{"hash": "set", "state": state, "accepted": "set"}
	m.records[order] = rec
	if state == "waiting" {
		name, seq := m.append(order, body)
		m.stats.add("accepted", 1)
		rec.set("entry", name, "seq", strconv.Itoa(seq), "attempts", "0", "sent", "2")
		return
	}
	rec.set("entry", elsewhere, "attempts", "2", "finished", "set")
	if state == "dropped" {
		rec["state"] = "dead"
	}
	if state != "dead" {
		rec.set("expires", "72h0m0s")
		return
	}
	rec.set("letter", "set")
	m.stats.add("accepted", 1)
	m.stats.add("dead", 1)
	m.letters[elsewhere] = flat(map[string]string{"id": order, "body": body, "reason": "rejected", "attempts": "2"},
		"id", "body", "reason", "status", "answer", "attempts")
}

// imports an order as a backup may know it.
func (m *machine) imports() {
	m.imported++
	order, entry := "o"+one(m, someOrders, "order"), streamutil.EntryID{Ms: uint64(m.imported)}
	c := copyOf(order, one(m, []streamutil.State{streamutil.Waiting, streamutil.Waiting, streamutil.Delivered, streamutil.Dead, streamutil.Cancelled}, "state"))
	c.Body, c.Entry, c.Reason = []byte("body"), entry, "rejected"
	if m.rarely(6) {
		c.Body = []byte("other")
	}
	c.Undo = m.rarely(3)
	state := string(c.State)
	if c.State == streamutil.Dead && m.rarely(2) {
		c.Dropped, state = true, "dropped"
	}
	elsewhere := fmt.Sprintf("elsewhere-%d", m.imported)
	m.know(elsewhere, entry.String())
	m.send(call{
		text: fmt.Sprintf("import %s %s %s undo=%v", order, state, c.Body, c.Undo),
		real: func() string { return m.putIn(c) },
		spec: func() string {
			return m.model.importOne(order, string(c.Body), m.bodies[order], state, elsewhere, c.Undo)
		},
		effect: func(answer string) {
			if strings.HasPrefix(answer, "put") {
				m.bodies[order] = string(c.Body)
			}
		},
	})
}
