package ops

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"orderq/streamutil"
)

// What mends most that ails consumers.
const (
	startConsumer = "systemctl start orderq-consumer"
	consumerLogs  = "journalctl -u orderq-consumer   # on its machine"
)

// consumers judges who is registered.
func (p *patient) consumers() {
	var alive []streamutil.ConsumerInfo
	var dead []string
	for _, c := range p.queue.Consumers {
		if c.Alive {
			alive = append(alive, c)
		} else {
			dead = append(dead, c.Name)
		}
	}
	switch {
	case len(alive) == 0 && len(dead) == 0:
		p.warn("consumers", startConsumer, "none is running")
	case len(alive) == 0:
		p.warn("consumers", startConsumer, "none lives; no sign of life from %s", some(dead))
	case len(dead) > 0:
		p.warn("consumers", consumerLogs, "%d alive, and no sign of life from %s: the others take over what it had", len(alive), some(dead))
	default:
		p.pass("consumers", "%d alive", len(alive))
	}
	if len(alive) > 0 {
		p.beats(alive)
		p.alike(alive)
	}
}

// beats judges whether they show in time that they live, and do their work.
func (p *patient) beats(alive []streamutil.ConsumerInfo) {
	troubled, late := map[string]string{}, []string(nil)
	for _, c := range alive {
		if c.Trouble != "" {
			troubled[c.Name] = c.Trouble
		}
		if c.Seen > c.Lease/2 {
			late = append(late, fmt.Sprintf("%s, %s ago", c.Name, span(c.Seen)))
		}
	}
	if len(troubled) > 0 {
		name := slices.Sorted(maps.Keys(troubled))[0]
		text := fmt.Sprintf("%d of %d cannot do their work with Redis, such as %s (%s)", len(troubled), len(alive), name, troubled[name])
		if len(troubled) == len(alive) {
			p.fail("consumer work", consumerLogs, "%s", text)
		} else {
			p.warn("consumer work", consumerLogs, "%s", text)
		}
	}
	if len(late) > 0 {
		p.warn("heartbeats", consumerLogs, "late, by the lease: %s; at a lease's end others take over", some(late))
		return
	}
	p.pass("heartbeats", "in time")
}

// alike judges whether all were started the same way.
func (p *patient) alike(alive []streamutil.ConsumerInfo) {
	paces, versions, leases := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range alive {
		paces[streamutil.Every(c.Pace).String()] = true
		versions[orNone(c.Version)] = true
		leases[span(c.Lease)] = true
	}
	for _, of := range []struct {
		check, consequence string
		values             map[string]bool
	}{
		{"consumer paces", "the slowest counts for all", paces},
		{"consumer versions", "a restart brings the older ones up", versions},
		{"consumer leases", "who dies is noticed at different times", leases},
	} {
		list := slices.Sorted(maps.Keys(of.values))
		if len(list) > 1 {
			p.warn(of.check, "systemctl restart orderq-consumer   # after the configurations were made alike", "differ: %s; %s", some(list), of.consequence)
			continue
		}
		p.pass(of.check, "%s", list[0])
	}
}

// some names a few of many.
func some(list []string) string {
	if n := len(list) - tellMost; n > 0 {
		return strings.Join(list[:tellMost], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(list, ", ")
}
