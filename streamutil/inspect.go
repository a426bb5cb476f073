package streamutil

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// QueueState says in one word how a queue is doing.
type QueueState string

// The states of a queue.
const (
	// QueueRunning: work waits and a consumer is there to send it.
	QueueRunning QueueState = "running"
	// QueueIdle: nothing waits.
	QueueIdle QueueState = "idle"
	// QueuePaused: an operator, or wrong credentials, stopped the sending.
	QueuePaused QueueState = "paused"
	// QueueHeld: nobody may send until a time.
	QueueHeld QueueState = "held"
	// QueueStalled: work waits and nobody can send it.
	QueueStalled QueueState = "stalled"
)

// Totals count orders over the life of the queue.
type Totals struct {
	Accepted, Delivered, Dead, Cancelled int64
}

// ConsumerInfo is one registered consumer.
type ConsumerInfo struct {
	Name, Host, Version string
	PID                 int
	// Pace is the interval it was configured with; 0 is unlimited.
	Pace, Lease time.Duration
	Started     time.Time
	// Seen is how long ago its last beat was, by Redis's wall clock, and Alive
	// whether that is less than its lease: for people, nothing is decided by it.
	Seen  time.Duration
	Alive bool
	// InFlight is how many orders it has taken and not settled.
	InFlight int64
	// Trouble is what keeps it from its work, as it told with its last beat: a
	// kind of [ErrorKinds], or replicas; empty while nothing does.
	Trouble string
}

// Snapshot is a queue at one moment.
type Snapshot struct {
	// Time is Redis's wall clock.
	Time time.Time
	// Length is the backlog: all that is not finished. Waiting is the lag, not
	// yet taken by anyone; InFlight and Parked are what was taken. Dead counts
	// dead letters.
	Length, Waiting, InFlight, Parked, Dead int64
	// Oldest is the age of the oldest unfinished order, OldestWaiting that of
	// the oldest waiting one; OldestInFlight is how long ago the order in flight
	// was taken that is held for longest, of the first 32 that each consumer
	// holds. 0 if there is none.
	Oldest, OldestWaiting, OldestInFlight time.Duration
	// Overdue is by how much the time of the parked order that comes next has
	// passed; 0 if it has not.
	Overdue time.Duration
	// Pace is the interval in force; 0 is unlimited. PaceKnown is false until a
	// consumer has registered. BasePace is the slowest consumer's, which stands
	// back while an operator's is in force: Override.
	Pace, BasePace time.Duration
	PaceKnown      bool
	Override       *PaceOverride
	Totals         Totals
	Consumers      []ConsumerInfo
	State          QueueState
	// Reason says why nothing moves, for people; empty while all is well.
	Reason string
	// Blocked is the same as one word, of [BlockedReasons]; empty while all is well.
	Blocked string
	// Pause is the pause in force; nil without one.
	Pause *Pause
	// Drain is how long the backlog takes at the pace in force; 0 without one. It is
	// not known while the pace is unlimited, or the queue paused without an end.
	Drain      time.Duration
	DrainKnown bool
	// LastError is the last attempt that did not deliver, as far as the log
	// reaches; nil if there is none.
	LastError *LogEntry
	// GroupExists is false before the first consumer has come.
	GroupExists bool
	// Memory is Redis's own. That it is full may stand beside a reason that comes
	// first, such as a pause.
	Memory MemoryFacts
	// Risks are why Redis, as it stands, can lose accepted orders or soon refuse
	// new ones; see the constants.
	Risks []string
}

// PaceOverride is an operator's pace. Until is zero if it lasts until it is reset.
type PaceOverride struct {
	By    Act
	Until time.Time
}

// Pause is why an operator, or the queue itself, stopped the sending. Until is
// zero if it lasts until somebody resumes.
type Pause struct {
	// Reason is paused, or credentials: the partner refused ours.
	Reason string
	By     Act
	Until  time.Time
}

// Alive counts the consumers whose beat is fresh.
func (s Snapshot) Alive() int {
	n := 0
	for _, c := range s.Consumers {
		if c.Alive {
			n++
		}
	}
	return n
}

// NeverUsed is whether nobody has left a trace in the queue: no order, no consumer,
// no dead letter. A name that is mistyped looks so, and a Redis that was emptied.
func (s Snapshot) NeverUsed() bool {
	return !s.GroupExists && s.Totals == (Totals{}) && len(s.Consumers) == 0 && s.Length == 0 && s.Dead == 0
}

// knownSchema is the form of a queue that this program knows: SCHEMA in lib.lua.
const knownSchema = 1

// logReach is how many lines of the log a snapshot looks through for the last error.
const logReach = 100

// Inspect reads the queue as it is now, in two pipelined round trips. It reads
// only, and no more whatever the backlog.
//
// Errors: [ErrUnavailable], [ErrSchema].
func (q *Queue) Inspect(ctx context.Context) (Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return Snapshot{}, wrap("inspect", err)
	}
	b := rdb.B
	got := rdb.DoMulti(ctx,
		b().Time().Build(),
		b().Xlen().Key(q.keys.stream).Build(),
		b().Xpending().Key(q.keys.stream).Group(group).Build(),
		b().Zcard().Key(q.keys.due).Build(),
		b().Xlen().Key(q.keys.dead).Build(),
		b().Hgetall().Key(q.keys.control).Build(),
		b().Hgetall().Key(q.keys.pace).Build(),
		b().Hgetall().Key(q.keys.stats).Build(),
		b().Hgetall().Key(q.keys.consumers).Build(),
		b().Xrevrange().Key(q.keys.log).End("+").Start("-").Count(logReach).Build(),
		b().XinfoGroups().Key(q.keys.stream).Build(),
		b().Xrange().Key(q.keys.stream).Start("-").End("+").Count(1).Build(),
		b().Info().Section("replication").Build(),
		b().Info().Section("memory").Build(),
		b().Info().Section("persistence").Build(),
		b().Zrange().Key(q.keys.due).Min("0").Max("0").Withscores().Build(),
		b().Zrange().Key(q.keys.due).Min("-1").Max("-1").Withscores().Build(),
	)
	s, facts, err := readSnapshot(got)
	if err != nil {
		return Snapshot{}, wrap("inspect", err)
	}
	if err := q.inspectFurther(ctx, rdb, &s, &facts); err != nil {
		return Snapshot{}, wrap("inspect", err)
	}
	facts.server.minReplicas = max(facts.server.minReplicas, int64(q.client.cfg.Durability.replicas))
	s.Risks = facts.server.risks(q.client.cfg.Durability)
	s.judge(facts, int64(q.cfg.MaxInFlight))
	return s, nil
}

// facts is what a snapshot is judged by and does not show.
type facts struct {
	control, pace map[string]string
	lastDelivered string
	queueTime     int64 // ms
	// how long it is until the first and the last parked entry are due
	firstDue, lastDue time.Duration
	holders           map[string]int64 // how much each name has pending
	unknownHolder     int64            // entries pending under names that are not registered
	server            server
}

func readSnapshot(got []rueidis.RedisResult) (Snapshot, facts, error) {
	var s Snapshot
	f := facts{lastDelivered: "0-0"}
	clock, err := got[0].AsIntSlice()
	if err != nil {
		return s, f, err
	}
	s.Time = time.UnixMicro(clock[0]*1_000_000 + clock[1])
	holders, inFlight, err := pendingSummary(got[2])
	if err != nil {
		return s, f, err
	}
	maps := make([]map[string]string, 4)
	for i := range maps {
		if maps[i], err = got[5+i].AsStrMap(); err != nil {
			return s, f, err
		}
	}
	counts := make([]int64, 3)
	for i, at := range []int{1, 3, 4} {
		if counts[i], err = got[at].AsInt64(); err != nil {
			return s, f, err
		}
	}
	f.control, f.pace = maps[0], maps[1]
	if err := knownForm(f.control["schema"]); err != nil {
		return s, f, err
	}
	stats := maps[2]
	s.Length, s.Parked, s.Dead = counts[0], counts[1], counts[2]
	s.InFlight = max(inFlight-s.Parked, 0)
	s.Waiting = max(s.Length-inFlight, 0)
	s.Totals = Totals{
		Accepted: count(stats["accepted"]), Delivered: count(stats["delivered"]),
		Dead: count(stats["dead"]), Cancelled: count(stats["cancelled"]),
	}
	s.Consumers = readConsumers(maps[3], holders, s.Time)
	f.holders = holders
	for name, n := range holders {
		if _, known := maps[3][name]; !known && name != parkingName {
			f.unknownHolder += n
		}
	}
	lines, err := got[9].AsXRange()
	if err != nil {
		return s, f, err
	}
	s.LastError = lastError(lines)
	if f.lastDelivered, s.GroupExists, err = lastDelivered(got[10]); err != nil {
		return s, f, err
	}
	first, err := got[11].AsXRange()
	s.Oldest = ageOf(first, s.Time)
	f.queueTime = max(s.Time.UnixMilli()+count(f.pace["clock_offset"]), count(f.pace["clock_last"]))
	s.readControl(f)
	if err != nil {
		return s, f, err
	}
	if f.server, err = readServer(got[12:15]); err != nil {
		return s, f, err
	}
	s.Memory = f.server.memory
	if f.firstDue, err = f.dueIn(got[15]); err != nil {
		return s, f, err
	}
	s.Overdue = max(-f.firstDue, 0)
	f.lastDue, err = f.dueIn(got[16])
	return s, f, err
}

// knownForm refuses to read what a newer program has given another form, as lib.lua
// does in every script.
func knownForm(schema string) error {
	if form := count(schema); form > knownSchema {
		return &redisError{kind: kindSchema, err: fmt.Errorf(
			"the queue has form %d of a newer orderq; this one knows form %d: upgrade it", form, knownSchema)}
	}
	return nil
}

// pendingSummary reads XPENDING: how much each name holds, and in all.
func pendingSummary(r rueidis.RedisResult) (map[string]int64, int64, error) {
	values, err := r.ToArray()
	if noGroup(err) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	total, err := values[0].AsInt64()
	if err != nil || total == 0 {
		return nil, 0, err
	}
	names, err := values[3].ToArray()
	holders := make(map[string]int64, len(names))
	for _, n := range names {
		pair, err := n.AsStrSlice()
		if err != nil {
			return nil, 0, err
		}
		holders[pair[0]] = count(pair[1])
	}
	return holders, total, err
}

func lastDelivered(r rueidis.RedisResult) (string, bool, error) {
	groups, err := r.ToArray()
	if noGroup(err) {
		return "0-0", false, nil
	}
	if err != nil {
		return "", false, err
	}
	for _, g := range groups {
		fields, err := g.AsMap()
		if err != nil {
			return "", false, err
		}
		name := fields["name"]
		if text, _ := name.ToString(); text == group {
			id := fields["last-delivered-id"]
			last, err := id.ToString()
			return last, true, err
		}
	}
	return "0-0", false, nil
}

// noGroup is what Redis answers while there is no stream or no group yet.
func noGroup(err error) bool {
	re, ok := rueidis.IsRedisErr(err)
	return ok && (strings.HasPrefix(re.Error(), "NOGROUP") || strings.Contains(re.Error(), "no such key"))
}

func readConsumers(all map[string]string, holders map[string]int64, now time.Time) []ConsumerInfo {
	list := make([]ConsumerInfo, 0, len(all))
	for name, text := range all {
		var c struct {
			Host, Version string
			Trouble       string
			PID           int
			Pace, Lease   int64 // µs
			Start, Seen   int64 // ms
		}
		if json.Unmarshal([]byte(text), &c) != nil {
			c.Host = "?" // written over by hand: still shown, by its name
		}
		info := ConsumerInfo{
			Name: name, Host: c.Host, Version: c.Version, PID: c.PID, Trouble: c.Trouble,
			Pace: time.Duration(c.Pace) * time.Microsecond, Lease: time.Duration(c.Lease) * time.Microsecond,
			Started: time.UnixMilli(c.Start), Seen: max(now.Sub(time.UnixMilli(c.Seen)), 0), InFlight: holders[name],
		}
		info.Alive = info.Seen < info.Lease
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b ConsumerInfo) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func ageOf(entries []rueidis.XRangeEntry, now time.Time) time.Duration {
	if len(entries) == 0 {
		return 0
	}
	id, err := ParseEntryID(entries[0].ID)
	if err != nil {
		return 0
	}
	return max(now.Sub(id.Time()), 0)
}

// count reads a number that may be absent.
func count(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}
