package streamutil_test

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"orderq/streamutil"
)

// lateArrives: a call that was sent some time ago runs now. Nobody reads the answer.
func (m *machine) lateArrives() {
	all := make([]int, len(m.delayed))
	for i := range all {
		all[i] = i
	}
	i := one(m, all, "which")
	c := m.delayed[i]
	m.delayed = slices.Delete(m.delayed, i, i+1)
	c.text = "(now) " + c.text
	m.run(c, false)
}

// watched are the names that a watcher hears of.
func (m *machine) watched() []string {
	names := slices.Collect(maps.Keys(m.model.consumers))
	names = append(names, slices.Collect(maps.Values(m.model.pending))...)
	slices.Sort(names)
	return slices.Compact(names)
}

// reclaims a name whose beat was seen standing still for a lease, or one that
// holds entries and is not registered.
func (m *machine) reclaims() {
	m.reclaimOf(one(m, m.watched(), "name"))
}

// dies: the process crashes with all it has, and somebody watches its lease out.
func (m *machine) dies() {
	name := one(m, m.holders(), "process").name
	m.crash(name)
	m.reclaimOf(name)
}

func (m *machine) reclaimOf(name string) {
	beat := int64(-1)
	if c := m.model.consumers[name]; c != nil {
		beat = c.beat
	}
	if m.rarely(4) {
		beat++
	}
	p := streamutil.Policy{MaxStrikes: one(m, machineStrikes, "strikes"), BuryUncertain: m.rarely(8)}
	if m.rarely(2) {
		p.Quiet = time.Hour
	}
	m.send(call{
		text: fmt.Sprintf("reclaim %s %d %+v", name, beat, p),
		real: func() string {
			m.fence(name, beat)
			return m.reclaimBy(name, beat, p)
		},
		spec: func() string { return m.model.reclaim(name, beat, p) },
	})
}

// fence: whoever's beat stood still for so long that a watcher sends a reclaim
// has stopped its calls by its own clock, before. One whose beat has moved since
// has not.
func (m *machine) fence(name string, beat int64) {
	if c := m.model.consumers[name]; c != nil && c.beat != beat {
		return
	}
	for _, p := range m.processes {
		if p.name == name {
			clear(p.calling)
		}
	}
}

func (m *machine) leaves() {
	p := one(m, m.registered(), "process")
	name := p.name
	m.lose(p)
	m.send(call{
		text: "leave " + name,
		real: func() string { return m.leave(name) },
		spec: func() string { return m.model.leave(name) },
	})
}

// crashes: the process starts anew and knows nothing. What it sent goes on.
func (m *machine) crashes() {
	m.crash(one(m, m.registered(), "process").name)
}

func (m *machine) crash(name string) {
	m.done = append(m.done, "crash of "+name)
	for _, p := range m.processes {
		if p.name == name {
			p.name, p.held, p.past = "", nil, nil
			clear(p.calling)
		}
	}
}

// looks: what people and metrics are told.
func (m *machine) looks() {
	known := append(slices.Sorted(maps.Keys(m.model.records)), "nobody's")
	order := one(m, known, "order")
	m.run(call{
		text: "lookup " + order,
		real: func() string { return m.lookup(order) },
		spec: func() string { return m.model.lookup(order) },
	}, false)
	s := m.snapshot()
	want := fmt.Sprintf("length %d waiting %d in flight %d parked %d dead %d", len(m.model.stream),
		max(len(m.model.stream)-len(m.model.pending), 0), max(m.model.inFlight(), 0), len(m.model.due), len(m.model.letters))
	if got := fmt.Sprintf("length %d waiting %d in flight %d parked %d dead %d",
		s.Length, s.Waiting, s.InFlight, s.Parked, s.Dead); got != want {
		m.fail("inspect counts otherwise than the model", "%s, want %s", got, want)
	}
}

func (m *machine) hour() {
	m.done = append(m.done, "an hour passes")
	m.anHourPasses()
	m.model.anHourPasses()
}

// addsByHand puts an entry into the stream that enqueue did not write.
func (m *machine) addsByHand() {
	m.byHand++
	name := fmt.Sprintf("hand%d", m.byHand)
	order, body := "h"+one(m, someOrders, "order"), "body"
	switch one(m, []string{"order", "known", "no id", "bad id", "no body"}, "entry") {
	case "known":
		order = "o" + one(m, someOrders, "known")
	case "no id":
		order = ""
	case "bad id":
		order = "a b"
	case "no body":
		body = ""
	}
	fields := []string{"by", "hand"}
	if order != "" {
		fields = append(fields, "id", order)
	}
	if body != "" {
		fields = append(fields, "body", body)
	}
	m.done = append(m.done, fmt.Sprintf("%s by hand: %v", name, fields))
	m.addByHand(name, fields...)
	m.model.add(name, order, body, 0)
}

func (m *machine) deletesByHand() {
	e := one(m, m.model.stream, "entry")
	m.done = append(m.done, "deleted by hand: "+e.name)
	m.redis("XDEL", "%stream", m.entries[e.name].String())
	m.deleted[e.name] = true
	m.loose[e.name] = true
	m.model.stream = slices.DeleteFunc(m.model.stream, func(x modelEntry) bool { return x.name == e.name })
}

// letsLoose: someone acknowledges an entry, or deletes a consumer with all it has.
func (m *machine) letsLoose() {
	name := one(m, m.watched(), "name")
	held := m.model.heldBy(name)
	if one(m, []bool{true, false}, "whole") {
		m.done = append(m.done, "consumer deleted by hand: "+name)
		m.redis("XGROUP", "DELCONSUMER", "%stream", groupName, name)
	} else if len(held) > 0 {
		held = held[:1]
		m.done = append(m.done, "acknowledged by hand: "+held[0])
		m.redis("XACK", "%stream", groupName, m.entries[held[0]].String())
	}
	for _, entry := range held {
		m.loose[entry] = true
		delete(m.model.pending, entry)
	}
}

// newEpoch makes Redis look as if it might have forgotten something.
func (m *machine) newEpoch() {
	how := one(m, []string{"another server", "pace deleted", "group destroyed"}, "how")
	m.done = append(m.done, how)
	switch how {
	case "another server":
		m.redis("HSET", "%pace", "server", "another")
		m.model.otherServer = true
	case "pace deleted":
		m.redis("DEL", "%pace")
		m.model.known, m.model.otherServer = false, false
	case "group destroyed":
		m.redis("XGROUP", "DESTROY", "%stream", groupName)
		m.model.group = false
		clear(m.model.pending)
	}
}

// restarts Redis: kill -9, and the append-only file is read again.
func (m *machine) restarts(restart func()) {
	m.done = append(m.done, "restart of Redis")
	restart()
	m.model.otherServer = true
}

// statusOf is what the partner answered in the machine's world.
func statusOf(outcome streamutil.Outcome) (int, string) {
	if outcome == streamutil.OutcomeDelivered {
		return 200, "thanks"
	}
	return 500, "answer"
}

func (m *machine) settleAttempt(a attempt, v verdict) string {
	s := streamutil.Settlement{
		Consumer: a.consumer, K: a.k, Entry: m.entries[a.entry], OrderID: a.order,
		Outcome: v.outcome, Status: v.status, Answer: v.answer, Cut: v.cut,
		Policy: streamutil.Policy{MaxStrikes: v.modelStrikes, BuryUncertain: v.buryUnsure, Quiet: time.Hour},
	}
	if v.hour {
		s.Delay, s.RetryAfter = time.Hour, time.Hour
	}
	return m.settleAs(s)
}
