package ops

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is too much.
const (
	slowPing     = 10 * time.Millisecond  // the median
	slowestPing  = 100 * time.Millisecond // the worst of a few
	clockApart   = 5 * time.Second
	nearlyFull   = 80 // per cent
	staleReplica = 10 * time.Second
	slowScript   = 5 * time.Millisecond
)

// judgeServer judges Redis itself.
func (p *patient) judgeServer() {
	p.latency()
	p.clock()
	if !p.exam.Server.Known {
		return
	}
	p.version()
	if p.exam.Persistence.Loading {
		p.fail("loading", p.exam.CLI+" INFO persistence", "Redis still reads its data; until then it answers nothing")
		return
	}
	p.persistence()
	p.disk()
	p.memory()
	p.replication()
	p.clients()
	p.slowLog()
}

// setting is the command that changes a setting of Redis.
func (p *patient) setting(name string, value any) string {
	return fmt.Sprintf("%s CONFIG SET %s %v   # and in redis.conf", p.exam.CLI, name, value)
}

func (p *patient) latency() {
	took := p.exam.Latency
	if len(took) == 0 {
		return
	}
	median, worst := took[len(took)/2], took[len(took)-1]
	text := fmt.Sprintf("median %s, worst %s of %d", inMillis(median), inMillis(worst), len(took))
	if median > slowPing || worst > slowestPing {
		p.warn("latency", p.exam.CLI+" --latency-history", "%s: a slow network or a busy server delays every order", text)
		return
	}
	p.pass("latency", "%s", text)
}

// inMillis says a short time: 0.21 ms.
func inMillis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

func (p *patient) clock() {
	if slices.Contains(p.exam.Unseen, "TIME") {
		return
	}
	ahead, word := p.exam.Ahead, "ahead of"
	if ahead < 0 {
		ahead, word = -ahead, "behind"
	}
	if ahead > clockApart {
		p.warn("clock", "timedatectl set-ntp true   # on the machine that is wrong",
			"Redis's clock is %s %s this machine's; nothing depends on it but the times that are shown", span(ahead), word)
		return
	}
	p.pass("clock", "%s apart from this machine's", span(ahead))
}

func (p *patient) version() {
	s := p.exam.Server
	switch {
	case s.Version == "":
	case s.Valkey != "" && major(s.Valkey) < 8:
		p.warn("redis version", "upgrade to Valkey 8 or later", "Valkey %s: orderq is made for 8 and later", s.Valkey)
	case s.Valkey != "":
		p.pass("redis version", "Valkey %s", s.Valkey)
	case major(s.Version) < 7:
		p.fail("redis version", "upgrade to Redis 7.0 or later", "%s: orderq needs 7.0 or later", s.Version)
	default:
		p.pass("redis version", "%s", s.Version)
	}
}

func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(first) // what is no number is too old
	return n
}

// persistence judges what a restart or a power cut would cost.
func (p *patient) persistence() {
	d, s := p.exam.Persistence, p.exam.Server
	fsync, appendOnly := p.exam.Durability.Fsync(), p.setting("appendonly", "yes")
	lost := "every order"
	if d.Snapshots != "" {
		lost = "the orders since the last snapshot"
	}
	switch {
	case !d.AOF && fsync:
		p.fail("persistence", appendOnly, "redis.durability fsync needs the append-only file, and it is off")
	case !d.AOF && p.exam.Durability.Replicas() > 0:
		p.warn("persistence", appendOnly, "no append-only file: if Redis and its replicas end together, %s will be lost", lost)
	case !d.AOF:
		p.fail("persistence", appendOnly, "no append-only file: a restart of Redis loses %s", lost)
	case fsync && !s.WaitAOF && d.Fsync != "always":
		p.fail("persistence", p.setting("appendfsync", "always"),
			"redis.durability fsync needs appendfsync always on a server without WAITAOF (Redis 7.2 has it); it is %s", cmp.Or(d.Fsync, "not known"))
	case d.Fsync == "no" && !fsync:
		p.warn("persistence", p.setting("appendfsync", "everysec"), "append-only file, but appendfsync is no: a power cut can lose half a minute of orders")
	case d.Fsync == "always" || fsync:
		p.pass("persistence", "append-only file, appendfsync %s: a power cut loses no accepted order", cmp.Or(d.Fsync, "not known"))
	case d.Fsync == "":
		p.pass("persistence", "append-only file")
	default:
		p.pass("persistence", "append-only file, appendfsync %s: a power cut can lose 2 s of orders", d.Fsync)
	}
}

// disk judges how the last writing went.
func (p *patient) disk() {
	d, dir := p.exam.Persistence, p.exam.CLI+" CONFIG GET dir   # is there room? df -h; the log of Redis says more"
	const refuses = "Redis takes no writes until one succeeds"
	switch {
	case failed(d.WriteStatus):
		p.fail("disk", dir, "the last write to the append-only file failed: %s", refuses)
	case failed(d.SaveStatus) && d.Snapshots != "":
		p.fail("disk", dir, "the last snapshot failed: %s, unless stop-writes-on-bgsave-error is no", refuses)
	case failed(d.SaveStatus):
		p.warn("disk", dir, "the last snapshot failed")
	case failed(d.RewriteStatus):
		p.warn("disk", dir, "the last rewriting of the append-only file failed: it grows on")
	case d.WriteStatus != "":
		p.pass("disk", "the last writes ended well")
	}
}

func failed(status string) bool { return status != "" && status != "ok" }
