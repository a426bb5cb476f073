package streamutil

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// server is what INFO tells of whether Redis takes writes.
type server struct {
	replica bool
	// replicas that are connected; goodReplicas those that do not lag, -1 where
	// the server does not ask for any; minReplicas how many are asked for.
	replicas, goodReplicas, minReplicas int64

	memory      MemoryFacts
	persistence PersistenceFacts // without what only CONFIG tells
}

// replication reads what INFO says of replicas.
func replication(f map[string]string) server {
	s := server{replica: f["role"] == "slave", replicas: count(f["connected_slaves"]), goodReplicas: -1}
	if good, ok := f["min_slaves_good_slaves"]; ok {
		s.goodReplicas = count(good)
	}
	return s
}

// readServer reads INFO's sections replication, memory and persistence.
func readServer(sections []rueidis.RedisResult) (server, error) {
	fields := map[string]string{}
	for _, section := range sections {
		text, err := section.ToString()
		if err != nil {
			return server{}, err
		}
		maps.Copy(fields, infoFields(text))
	}
	s := replication(fields)
	s.memory, s.persistence = readMemory(fields), readPersistence(fields)
	return s, nil
}

func askMinReplicas(rdb rueidis.Client) rueidis.Completed {
	return rdb.B().ConfigGet().Parameter("min-replicas-to-write").Build()
}

// minReplicas reads CONFIG GET, which a server may refuse to us.
func minReplicas(r rueidis.RedisResult) int64 {
	m, _ := r.AsStrMap()
	return count(m["min-replicas-to-write"])
}

// inStep is how many replicas keep up.
func (s server) inStep() int64 {
	if s.goodReplicas < 0 {
		return s.replicas
	}
	return min(s.replicas, s.goodReplicas)
}

// readControl tells what operators and outages have set.
func (s *Snapshot) readControl(f facts) {
	c := f.control
	s.BasePace, s.PaceKnown = interval(c["pace"])
	s.Pace = s.BasePace
	if t, ok := interval(c["pace_override"]); ok && f.lasts("pace_until") {
		s.Pace, s.PaceKnown = t, true
		s.Override = &PaceOverride{By: Act{Who: c["pace_who"], Why: c["pace_why"]}, Until: s.until(f, "pace_until")}
	}
	if c["paused"] != "" && f.lasts("pause_until") {
		s.Pause = &Pause{
			Reason: c["paused"], By: Act{Who: c["pause_who"], Why: c["pause_why"]}, Until: s.until(f, "pause_until"),
		}
	}
}

// left is how long it is until a moment that control keeps.
func (f facts) left(field string) time.Duration {
	return time.Duration(count(f.control[field])-f.queueTime) * time.Millisecond
}

// lasts reports whether what ends at that moment, if it is set, goes on.
func (f facts) lasts(field string) bool { return f.control[field] == "" || f.left(field) > 0 }

func (s *Snapshot) until(f facts, field string) time.Time {
	if f.control[field] == "" {
		return time.Time{}
	}
	return s.Time.Add(f.left(field))
}

// dueIn is how long it is until an entry of the due index is due, less than 0 if it
// is overdue; 0 without one.
func (f facts) dueIn(r rueidis.RedisResult) (time.Duration, error) {
	found, err := r.AsZScores()
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return time.Duration(found[0].Score-float64(f.queueTime)) * time.Millisecond, nil
}

// trouble is what keeps all living consumers from their work; empty if any works.
func (s *Snapshot) trouble() string {
	kind := ""
	for _, c := range s.Consumers {
		if c.Alive && c.Trouble == "" {
			return ""
		}
		if c.Alive {
			kind = c.Trouble
		}
	}
	return kind
}

// silence is why nobody sends: nobody is there, or nobody is heard of.
func (s *Snapshot) silence() string {
	if len(s.Consumers) == 0 {
		return "no consumer is running"
	}
	return "no consumer has shown for its lease that it lives: they ended, or cannot write to Redis"
}

// blockedBy is the reason, as metrics have it, that a consumer's trouble is.
func blockedBy(kind string) string {
	if kind == kindReplicas {
		return kindReplicas
	}
	return "redis"
}

// BlockedReasons lists every value of a Snapshot's Blocked but the empty one.
func BlockedReasons() []string {
	return []string{
		"redis", "replicas", "memory", "paused", "credentials", "hold", "breaker", "epoch", "max_in_flight", "recovery", "parked",
		"no_consumer",
	}
}

// judge says how the queue is doing, and why.
func (s *Snapshot) judge(f facts, maxInFlight int64) {
	hold, breaker := f.left("hold_until"), f.left("breaker_until")
	failed, open := f.control["breaker"]
	if f.control["alone"] != "" && s.Waiting > 0 {
		breaker = 0 // it is one order's doing so far, and another is tried at once
	}
	switch {
	case f.server.replica:
		s.is(QueueStalled, "redis", "this Redis is a read-only replica: orders are neither accepted nor sent")
	case f.server.inStep() < f.server.minReplicas:
		s.is(QueueStalled, "replicas", "Redis has %d replicas that keep up and %d are asked for: orders are neither accepted nor sent",
			f.server.inStep(), f.server.minReplicas)
	case s.Pause != nil:
		s.is(QueuePaused, s.Pause.Reason, "%s", s.pauseReason())
	case hold > 0:
		s.is(QueueHeld, "hold", "the partner asked for a wait; held for another %s", roundUp(hold))
	case open && breaker > 0:
		s.is(QueueHeld, "breaker", "nobody gets through to the partner (probes in vain: %s); the next order is tried in %s",
			failed, roundUp(breaker))
	case open && s.Length > 0 && s.Alive() > 0:
		s.is(QueueHeld, "breaker", "nobody gets through to the partner (probes in vain: %s); one order is being tried", failed)
	case s.Length > 0 && s.Alive() == 0:
		s.is(QueueStalled, "no_consumer", "%s", s.silence())
	case s.trouble() != "":
		s.is(QueueStalled, blockedBy(s.trouble()), "no consumer can do its work with Redis (%s); their logs say more", s.trouble())
	case s.Length > 0 && f.pace["open"] == "0":
		s.is(QueueStalled, "epoch", "Redis may have forgotten calls that still run; consumers wait for them to end")
	case s.Memory.Full():
		s.is(s.busy(), "memory", "Redis is out of memory: new orders are refused, accepted ones are sent")
	case s.Length == 0:
		s.State = QueueIdle
	case s.InFlight >= maxInFlight:
		s.is(QueueRunning, "max_in_flight", "%d calls are running, as many as may at once", s.InFlight)
	case f.unknownHolder > 0 && s.Waiting == 0:
		s.is(QueueRunning, "recovery", "%d in flight with a consumer that is gone; taken back after its lease", f.unknownHolder)
	case s.Parked == s.Length && f.firstDue > 0:
		s.is(QueueRunning, "parked", "all that is left has failed and waits for its next attempt, due in %s", roundUp(f.firstDue))
	default:
		s.State = QueueRunning
	}
	s.estimate(f, max(hold, breaker, 0))
}

// estimate says when the backlog is through, given how long nothing is sent yet.
// Without a pace that is the partner's doing; with a pause that has no end, a person's.
func (s *Snapshot) estimate(f facts, wait time.Duration) {
	switch {
	case s.Length == 0:
		s.DrainKnown = true
	case s.PaceKnown && s.Pace > 0 && (s.Pause == nil || !s.Pause.Until.IsZero()):
		if s.Pause != nil {
			wait = max(wait, s.Pause.Until.Sub(s.Time))
		}
		s.Drain, s.DrainKnown = max(time.Duration(s.Length)*s.Pace+wait, f.lastDue), true
	}
}

func (s *Snapshot) is(state QueueState, blocked, reason string, args ...any) {
	s.State, s.Blocked, s.Reason = state, blocked, fmt.Sprintf(reason, args...)
}

func (s *Snapshot) busy() QueueState {
	if s.Length == 0 {
		return QueueIdle
	}
	return QueueRunning
}

func (s *Snapshot) pauseReason() string {
	p := s.Pause
	text := "paused by " + p.By.Who
	if p.Reason == "credentials" {
		text = "the partner refuses our credentials"
	}
	if p.By.Why != "" {
		text += ": " + p.By.Why
	}
	if p.Until.IsZero() {
		return text + "; orderq resume goes on"
	}
	return text + fmt.Sprintf("; goes on by itself in %s", roundUp(p.Until.Sub(s.Time)))
}

// roundUp shows a wait in whole seconds, and never as nothing.
func roundUp(d time.Duration) time.Duration { return d.Truncate(time.Second) + time.Second }

// interval reads a pace as control keeps it. One below nothing, which a hand wrote, is
// none to the scripts either; one slower than can be set counts as the slowest.
func interval(us string) (time.Duration, bool) {
	n, err := strconv.ParseInt(us, 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	return time.Duration(min(n, MaxInterval.Microseconds())) * time.Microsecond, true
}
