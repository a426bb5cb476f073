package ops

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"orderq/streamutil"
)

// complaint is one thing that is not as it should be.
type complaint struct {
	how  severity
	text string
}

// judge finds what is wrong with a queue.
func (c *checked) judge(s streamutil.Snapshot, maxBacklog int64, l limits) {
	var all []complaint
	add := func(how severity, format string, args ...any) {
		if how != checkOK {
			all = append(all, complaint{how, fmt.Sprintf(format, args...)})
		}
	}
	add(judgeState(s), "%s", stateText(s))
	if memoryHidden(s) {
		add(checkCritical, outOfMemory)
	}
	if s.NeverUsed() {
		add(checkWarning, neverUsed)
	}
	if s.Length > 0 && s.Alive() == 0 && s.Blocked != "no_consumer" {
		add(checkCritical, "no consumer lives")
	}
	if s.Length >= maxBacklog {
		add(checkCritical, "the queue is full: new orders are refused")
	}
	if n := troubled(s); n > 0 && s.State != streamutil.QueueStalled {
		add(checkWarning, "%d of %s cannot work with Redis", n, several(s.Alive(), "consumer"))
	}
	add(l.dead.reached(s.Dead), "%s", several(int(s.Dead), "dead letter"))
	add(l.waiting.reached(s.Waiting), "%s", several(int(s.Waiting), "waiting order"))
	add(l.oldest.reached(s.Oldest), "an order is %s old", span(s.Oldest))
	if s.DrainKnown {
		add(l.drain.reached(s.Drain), "drained in %s", span(s.Drain))
	}
	slices.SortStableFunc(all, func(a, b complaint) int { return int(b.how) - int(a.how) })
	for _, v := range all {
		c.Result = max(c.Result, v.how)
		c.Problems = append(c.Problems, v.text)
	}
}

// judgeState says how bad a queue's state is.
func judgeState(s streamutil.Snapshot) severity {
	switch {
	case s.Blocked == "credentials", s.State == streamutil.QueueStalled, s.Blocked == "memory":
		return checkCritical
	case s.State == streamutil.QueuePaused, s.State == streamutil.QueueHeld:
		return checkWarning
	}
	return checkOK
}

// troubled counts the consumers that live and cannot do their work.
func troubled(s streamutil.Snapshot) int {
	n := 0
	for _, c := range s.Consumers {
		if c.Alive && c.Trouble != "" {
			n++
		}
	}
	return n
}

// perfdata is label=value[unit];[warning];[critical];[minimum] for every figure.
func perfdata(s streamutil.Snapshot, l limits) []string {
	counts := func(label string, n int64, l limit[int64]) string {
		return fmt.Sprintf("%s=%d;%s;%s;0", label, n, orNothing(l.warn), orNothing(l.crit))
	}
	times := func(label string, d time.Duration, l limit[time.Duration]) string {
		return fmt.Sprintf("%s=%ds;%s;%s;0", label, whole(d), orNothing(whole(l.warn)), orNothing(whole(l.crit)))
	}
	none := limit[int64]{}
	list := []string{
		counts("waiting", s.Waiting, l.waiting), counts("in_flight", s.InFlight, none), counts("parked", s.Parked, none),
		counts("dead", s.Dead, l.dead), times("oldest", s.Oldest, l.oldest),
	}
	drain := times("drain", s.Drain, l.drain)
	if !s.DrainKnown {
		drain = strings.Replace(drain, "=0s", "=U", 1) // plugins' word for a value that cannot be told
	}
	return append(list, drain, counts("consumers", int64(s.Alive()), none))
}

func whole(d time.Duration) int64 { return int64(d / time.Second) }

func orNothing(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
