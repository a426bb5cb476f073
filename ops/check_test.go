package ops

import (
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// usual are check's limits as nobody changed them.
func usual() limits {
	var l limits
	l.dead.warn, l.oldest = 1, limit[time.Duration]{15 * time.Minute, time.Hour}
	return l
}

// busy is a queue that runs as it should, with a backlog.
func busy() streamutil.Snapshot {
	return streamutil.Snapshot{
		State: streamutil.QueueRunning, Length: 14, Waiting: 12, InFlight: 1, Parked: 1, Oldest: 14 * time.Second,
		Drain: 14 * time.Second, DrainKnown: true, GroupExists: true, Time: time.Now(),
		Consumers: []streamutil.ConsumerInfo{{Name: "w", Alive: true, Lease: 15 * time.Second, Pace: time.Second, Version: "v1"}},
	}
}

func TestCheckJudges(t *testing.T) {
	state := func(state streamutil.QueueState, blocked, reason string) func(*streamutil.Snapshot, *limits) {
		return func(s *streamutil.Snapshot, _ *limits) { s.State, s.Blocked, s.Reason = state, blocked, reason }
	}
	for _, tt := range []struct {
		name string
		with func(*streamutil.Snapshot, *limits)
		want string // how the line begins
	}{
		{"well", func(*streamutil.Snapshot, *limits) {}, "OK - q: running, 12 waiting, oldest 14 s |"},
		{"idle, nobody there", func(s *streamutil.Snapshot, _ *limits) {
			*s = streamutil.Snapshot{State: streamutil.QueueIdle, GroupExists: true}
		}, "OK - q: idle, 0 waiting |"},
		{"never used", func(s *streamutil.Snapshot, _ *limits) {
			*s = streamutil.Snapshot{State: streamutil.QueueIdle}
		}, "WARNING - q: idle, no order and no consumer was ever here; is it the right queue, and the right Redis?, 0 waiting |"},
		{"nobody there", func(s *streamutil.Snapshot, _ *limits) {
			s.Consumers[0].Alive = false
			s.State, s.Blocked, s.Reason = streamutil.QueueStalled, "no_consumer", "no consumer is running"
		}, "CRITICAL - q: stalled: no consumer is running, 12 waiting"},
		{"nobody there, and held", func(s *streamutil.Snapshot, _ *limits) {
			s.Consumers = nil
			s.State, s.Blocked, s.Reason = streamutil.QueueHeld, "hold", "the partner asked for a wait"
		}, "CRITICAL - q: no consumer lives, held: the partner asked for a wait, 12"},
		{"credentials", state(streamutil.QueuePaused, "credentials", "the partner refuses our credentials"), "CRITICAL - q: paused: the partner refuses"},
		{"replicas", state(streamutil.QueueStalled, "replicas", "too few"), "CRITICAL - q: stalled: too few"},
		{"memory", state(streamutil.QueueRunning, "memory", "Redis is out of memory"), "CRITICAL - q: running: Redis is out of memory, 12"},
		{"memory, and paused", func(s *streamutil.Snapshot, _ *limits) {
			s.State, s.Blocked, s.Reason = streamutil.QueuePaused, "paused", "paused by anna"
			s.Memory = streamutil.MemoryFacts{Used: 9, Max: 9, Policy: "noeviction"}
		}, "CRITICAL - q: Redis is out of memory: new orders are refused, paused by anna, 12"},
		{"paused", state(streamutil.QueuePaused, "paused", "paused by anna: a | b\nc"), "WARNING - q: paused by anna: a / b c, 12"},
		{"hold", state(streamutil.QueueHeld, "hold", "the partner asked"), "WARNING - q: held: the partner asked, 12"},
		{"breaker", state(streamutil.QueueHeld, "breaker", "nobody gets through"), "WARNING - q: held: nobody gets through, 12"},
		{"as many calls as may run", state(streamutil.QueueRunning, "max_in_flight", "10 calls are running"), "OK - q: running, 12"},
		{"trouble of one", func(s *streamutil.Snapshot, _ *limits) {
			s.Consumers = append(s.Consumers, streamutil.ConsumerInfo{Name: "v", Alive: true, Trouble: "auth"})
		}, "WARNING - q: running, 1 of 2 consumers cannot work with Redis, 12"},
		{"full", func(s *streamutil.Snapshot, _ *limits) { s.Length = 100 }, "CRITICAL - q: running, the queue is full: new orders are refused, 12"},
		{"dead", func(s *streamutil.Snapshot, _ *limits) { s.Dead = 1 }, "WARNING - q: running, 1 dead letter, 12"},
		{"dead, and nobody minds", func(s *streamutil.Snapshot, l *limits) { s.Dead, l.dead.warn = 1, 0 }, "OK - q: running, 12"},
		{"many dead", func(s *streamutil.Snapshot, l *limits) { s.Dead, l.dead.crit = 7, 7 }, "CRITICAL - q: running, 7 dead letters, 12"},
		{"old", func(s *streamutil.Snapshot, _ *limits) { s.Oldest = 15 * time.Minute }, "WARNING - q: running, an order is 15 min 0 s old, 12"},
		{"too old", func(s *streamutil.Snapshot, _ *limits) { s.Oldest = time.Hour }, "CRITICAL - q: running, an order is 1 h 0 min old, 12"},
		{"many", func(_ *streamutil.Snapshot, l *limits) { l.waiting.warn = 12 }, "WARNING - q: running, 12 waiting orders, 12"},
		{"not so many", func(_ *streamutil.Snapshot, l *limits) { l.waiting.warn = 13 }, "OK - q: running, 12"},
		{"drain", func(_ *streamutil.Snapshot, l *limits) { l.drain = limit[time.Duration]{time.Second, 14 * time.Second} }, "CRITICAL - q: running, drained in 14 s, 12"},
		{"drain not known", func(s *streamutil.Snapshot, l *limits) { s.DrainKnown, l.drain.crit = false, 1 }, "OK - q: running, 12"},
		{"the worst first", func(s *streamutil.Snapshot, _ *limits) { s.Dead, s.Oldest = 2, time.Hour }, "CRITICAL - q: running, an order is 1 h 0 min old, 2 dead letters, 12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, l, c := busy(), usual(), checked{Queue: "q"}
			tt.with(&s, &l)
			c.judge(s, 100, l)
			got := c.line(s, l)
			if !strings.HasPrefix(got, "ORDERQ "+tt.want) {
				t.Errorf("got  %s\nwant ORDERQ %s…", got, tt.want)
			}
			if strings.Count(got, "|") != 1 || strings.ContainsAny(got, "\n\r") {
				t.Errorf("no line of a plugin: %q", got)
			}
		})
	}
}

func TestPerformanceData(t *testing.T) {
	s, l := busy(), usual()
	l.waiting, l.drain.crit = limit[int64]{100, 1000}, 2*time.Hour
	s.Dead = 3
	want := "waiting=12;100;1000;0 in_flight=1;;;0 parked=1;;;0 dead=3;1;;0 oldest=14s;900;3600;0 drain=14s;;7200;0 consumers=1;;;0"
	if got := strings.Join(perfdata(s, l), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s.DrainKnown, s.Drain = false, 0
	if got := strings.Join(perfdata(s, l), " "); !strings.Contains(got, " drain=U;;7200;0 ") {
		t.Errorf("a drain that is not known: %s", got)
	}
}

func TestLimitsThatMakeNoSense(t *testing.T) {
	for name, l := range map[string]limits{
		"negative": {waiting: limit[int64]{warn: -1}}, "negative crit": {dead: limit[int64]{crit: -1}},
		"crossed": {oldest: limit[time.Duration]{2, 1}}, "crossed drain": {drain: limit[time.Duration]{2, 1}},
	} {
		if l.check() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
	if err := usual().check(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
