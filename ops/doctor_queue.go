package ops

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"orderq/streamutil"
)

// shortLog is how far back the queue's log should reach: for less, what happened
// before somebody came is gone.
const shortLog = time.Hour

// judgeAccess judges what Redis lets us do.
func (p *patient) judgeAccess() {
	a := p.exam.Access
	if len(a.Missing)+len(a.MissingKeys) == 0 {
		p.pass("permissions", "user %s may do all that is needed", a.User)
		return
	}
	lacks, mend := slices.Clone(a.Missing), []string{p.exam.CLI, "ACL SETUSER", quoted(a.User)}
	for _, command := range a.Missing {
		mend = append(mend, "+"+quoted(command))
	}
	for _, key := range a.MissingKeys {
		lacks = append(lacks, "keys "+key)
		mend = append(mend, quoted("~"+key))
	}
	p.fail("permissions", strings.Join(mend, " ")+"   # then ACL SAVE", "user %s may not use: %s", a.User, strings.Join(lacks, ", "))
}

// judgeQueue judges the queue and those who work for it.
func (p *patient) judgeQueue() {
	p.state()
	p.group()
	p.consumers()
	p.dangling()
	p.backlog()
	if n := p.queue.Dead; n > 0 {
		p.warn("dead letters", p.again+" dead list", "%s set aside for a person", several(int(n), "order"))
	} else {
		p.pass("dead letters", "none")
	}
	p.log()
}

func (p *patient) state() {
	s := p.queue
	switch s.State {
	case streamutil.QueueRunning, streamutil.QueueIdle:
		p.pass("queue", "%s, %d waiting", stateText(s), s.Waiting)
	default:
		p.warn("queue", p.again+" status", "%s", stateText(s))
	}
}

func (p *patient) group() {
	if p.queue.GroupExists {
		p.pass("group", "is there")
		return
	}
	p.warn("group", startConsumer, "not there: no consumer has run yet, or the stream was deleted; the next one makes it")
}

// dangling judges what is in flight with those whom nobody knows.
func (p *patient) dangling() {
	var n int64
	for _, held := range p.exam.Queue.Dangling {
		n += held
	}
	if n == 0 {
		p.pass("pending", "all with consumers that are registered")
		return
	}
	mend, names := p.again+" pending", slices.Sorted(maps.Keys(p.exam.Queue.Dangling))
	if p.queue.Alive() == 0 {
		mend = startConsumer
	}
	p.warn("pending", mend, "%s in flight with names that are not registered (%s): a running consumer takes them back after a lease",
		several(int(n), "order"), some(names))
}

func (p *patient) backlog() {
	n, most := p.queue.Length, p.exam.Queue.MaxBacklog
	const mend = "queue.max_backlog, in the producer's configuration"
	switch {
	case n >= most:
		p.fail("backlog", mend, "%d of at most %d: new orders are refused", n, most)
	case n*100 > most*nearlyFull:
		p.warn("backlog", mend, "%d of at most %d: at the end of it new orders are refused", n, most)
	default:
		p.pass("backlog", "%d of at most %d", n, most)
	}
}

// log judges how far back one can see what happened.
func (p *patient) log() {
	q := p.exam.Queue
	if q.LogLines == 0 {
		return
	}
	reach := p.queue.Time.Sub(q.LogSince)
	text := fmt.Sprintf("%s, %s back", several(int(q.LogLines), "line"), span(reach))
	if q.LogLines >= q.LogMax && reach < shortLog {
		p.warn("log", "queue.log_max: "+fmt.Sprint(10*q.LogMax), "reaches only %s: what was before is forgotten", text)
		return
	}
	p.pass("log", "reaches %s", text)
}
