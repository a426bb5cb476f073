package ops

import (
	"fmt"
	"slices"
	"time"
)

func (p *patient) memory() {
	m := p.exam.Memory
	switch m.Policy {
	case "":
	case "noeviction":
		p.pass("memory policy", "noeviction")
	default:
		p.fail("memory policy", p.setting("maxmemory-policy", "noeviction"), "%s: with its memory full Redis would throw away orders, or what it knows of them", m.Policy)
	}
	mend := p.setting("maxmemory", "SIZE") // who knows how much there is
	switch {
	case m.Max == 0:
		p.pass("memory", "%s used, no bound set", size(m.Used))
	case m.Used >= m.Max:
		p.fail("memory", mend, "%s of %s used: new orders are refused", size(m.Used), size(m.Max))
	case m.Used*100 > m.Max*nearlyFull:
		p.warn("memory", mend, "%s of %s used: new orders are refused when it is full", size(m.Used), size(m.Max))
	default:
		p.pass("memory", "%s of %s used", size(m.Used), size(m.Max))
	}
}

// size says a number of bytes: 1.5 MiB.
func size(n int64) string {
	const unit = 1024
	f := float64(n)
	for _, name := range []string{"B", "KiB", "MiB"} {
		if f < unit {
			return fmt.Sprintf("%.4g %s", f, name)
		}
		f /= unit
	}
	return fmt.Sprintf("%.4g GiB", f)
}

func (p *patient) clients() {
	s := p.exam.Server
	switch {
	case s.MaxClients == 0:
	case s.Clients*100 > s.MaxClients*nearlyFull:
		p.warn("clients", p.setting("maxclients", 2*s.MaxClients), "%d connections of at most %d: then Redis refuses more, ours too", s.Clients, s.MaxClients)
	default:
		p.pass("clients", "%d connections of at most %d", s.Clients, s.MaxClients)
	}
}

// slowLog judges what the server itself noted about calls for this queue. Its
// entries stay until others push them out.
func (p *patient) slowLog() {
	n, first := 0, ""
	var worst time.Duration
	for _, c := range p.exam.Slow {
		if c.Took <= slowScript {
			continue
		}
		n++
		if c.Took > worst {
			worst, first = c.Took, fmt.Sprintf("%s with %s, %s ago", c.What, inMillis(c.Took), span(time.Since(c.At)+p.exam.Ahead))
		}
	}
	switch {
	case slices.Contains(p.exam.Unseen, "SLOWLOG GET"):
	case n == 0:
		p.pass("slow log", "no call for this queue over %s", span(slowScript))
	default:
		p.warn("slow log", p.exam.CLI+" SLOWLOG GET   # SLOWLOG RESET forgets them", "%s for this queue over %s, the slowest %s", several(n, "call"), span(slowScript), first)
	}
}

// replication judges whether what was promised survives a failover.
func (p *patient) replication() {
	r, want := p.exam.Replication, p.exam.Durability.Replicas()
	if r.Replica {
		p.fail("role", p.again+" config print", "%s is a read-only replica: set redis.addresses to the master, or redis.sentinel to find it", p.redis)
	}
	have := len(r.Replicas)
	const durability = "redis.durability: replicas=%d"
	switch {
	case want == 0 && (p.exam.Sentinel || p.exam.Server.Cluster && have > 0):
		p.warn("durability", fmt.Sprintf(durability, max(have, 1)),
			"%s: a failover can promote a replica that lacks accepted orders", p.exam.Durability)
	case want > 0 && have < want:
		p.fail("durability", p.exam.CLI+" INFO replication", "replicas=%d and %s connected: no order is confirmed", want, several(have, "replica"))
	case want > 0 && have > want:
		p.warn("durability", fmt.Sprintf(durability, have),
			"replicas=%d of %d that are connected: one that is not waited for may be promoted, and lack accepted orders", want, have)
	case want > 0 && r.MinReplicas == 0:
		p.warn("durability", p.setting("min-replicas-to-write", want),
			"replicas=%d, but min-replicas-to-write is 0: a master cut off from its replicas goes on taking writes that a failover loses", want)
	default:
		p.pass("durability", "%s", p.exam.Durability)
	}
	p.replicas()
}

func (p *patient) replicas() {
	list := p.exam.Replication.Replicas
	for _, r := range list {
		if !r.Online || r.Lag > staleReplica {
			p.warn("replicas", p.exam.CLI+" INFO replication", "%s does not keep up: last heard of %s ago", r.Address, span(r.Lag))
			return
		}
	}
	if len(list) > 0 {
		p.pass("replicas", "%d in step", len(list))
	}
}
