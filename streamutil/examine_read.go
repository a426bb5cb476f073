package streamutil

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// question is a command whose answer becomes a part of an examination.
type question struct {
	name string // as it is known to those who give rights
	cmd  rueidis.Completed
	read func(rueidis.RedisResult) error
}

// examineServer asks all at once. What the server refuses is noted; only if
// it does not answer at all there is an error.
func (q *Queue) examineServer(ctx context.Context, rdb rueidis.Client, e *Examination) error {
	questions := slices.Concat(q.serverQuestions(rdb, e), q.queueQuestions(rdb, e))
	cmds := rueidis.Commands{q.here(rdb)}
	for _, ask := range questions {
		cmds = append(cmds, ask.cmd)
	}
	before := time.Now()
	answers := rdb.DoMulti(ctx, cmds...)
	// Until here Ahead was Redis's time; half of the way is back.
	defer func() {
		if e.Ahead != 0 {
			e.Ahead -= time.Duration(before.Add(e.Latency[len(e.Latency)/2] / 2).UnixNano())
		}
	}()
	for i, ask := range questions {
		err := answers[i+1].Error()
		if noGroup(err) {
			continue
		}
		if _, refused := rueidis.IsRedisErr(err); err != nil && !refused {
			return err
		}
		if err == nil {
			err = ask.read(answers[i+1])
		}
		if err != nil && !slices.Contains(e.Unseen, ask.name) {
			e.Unseen = append(e.Unseen, ask.name)
		}
	}
	return nil
}

func (q *Queue) serverQuestions(rdb rueidis.Client, e *Examination) []question {
	e.Replication.MinReplicas = -1
	setting := func(name string, use func(value string)) question {
		return question{"CONFIG GET", rdb.B().ConfigGet().Parameter(name).Build(), func(r rueidis.RedisResult) error {
			m, err := r.AsStrMap()
			if value, known := m[name]; known {
				use(value)
			}
			return err
		}}
	}
	return []question{
		{"TIME", rdb.B().Time().Build(), e.readTime},
		{"INFO", rdb.B().Info().Build(), e.readInfo},
		setting("appendfsync", func(v string) { e.Persistence.Fsync = v }),
		setting("save", func(v string) { e.Persistence.Snapshots = v }),
		setting("min-replicas-to-write", func(v string) { e.Replication.MinReplicas = count(v) }),
		{"COMMAND INFO", rdb.B().CommandInfo().CommandName("waitaof").Build(), func(r rueidis.RedisResult) error {
			known, err := r.ToArray()
			e.Server.WaitAOF = err == nil && len(known) == 1 && !known[0].IsNil()
			return err
		}},
		{"SLOWLOG GET", rdb.B().SlowlogGet().Count(slowEntries).Build(), func(r rueidis.RedisResult) error {
			return e.readSlow(r, strings.TrimSuffix(q.keys.stream, "stream"))
		}},
	}
}

func (q *Queue) queueQuestions(rdb rueidis.Client, e *Examination) []question {
	return []question{
		{"XPENDING", rdb.B().Xpending().Key(q.keys.stream).Group(group).Build(), func(r rueidis.RedisResult) (err error) {
			e.Queue.Dangling, _, err = pendingSummary(r)
			delete(e.Queue.Dangling, parkingName)
			return err
		}},
		{"HGETALL", rdb.B().Hgetall().Key(q.keys.consumers).Build(), func(r rueidis.RedisResult) error {
			registered, err := r.AsStrMap()
			maps.DeleteFunc(e.Queue.Dangling, func(name string, _ int64) bool {
				_, known := registered[name]
				return known || err != nil
			})
			return err
		}},
		{"XLEN", rdb.B().Xlen().Key(q.keys.log).Build(), func(r rueidis.RedisResult) (err error) {
			e.Queue.LogLines, err = r.AsInt64()
			return err
		}},
		{"XRANGE", rdb.B().Xrange().Key(q.keys.log).Start("-").End("+").Count(1).Build(), func(r rueidis.RedisResult) error {
			lines, err := r.AsXRange()
			if len(lines) == 1 {
				e.Queue.LogSince = logEntry(lines[0]).Time
			}
			return err
		}},
	}
}

func (e *Examination) readTime(r rueidis.RedisResult) error {
	t, err := r.AsIntSlice()
	if err == nil && len(t) == 2 {
		e.Ahead = time.Duration(t[0])*time.Second + time.Duration(t[1])*time.Microsecond
	}
	return err
}

func (e *Examination) readInfo(r rueidis.RedisResult) error {
	text, err := r.ToString()
	if err != nil {
		return err
	}
	f := infoFields(text)
	e.Server.Known = true
	e.Server.Version, e.Server.Valkey = f["redis_version"], f["valkey_version"]
	e.Server.Cluster = f["cluster_enabled"] == "1"
	e.Server.Clients, e.Server.MaxClients = count(f["connected_clients"]), count(f["maxclients"])
	p := readPersistence(f)
	p.Fsync, p.Snapshots = e.Persistence.Fsync, e.Persistence.Snapshots // which CONFIG told
	e.Persistence, e.Memory = p, readMemory(f)
	e.Replication.Replica = f["role"] == "slave"
	for i := range count(f["connected_slaves"]) {
		if line, known := f["slave"+strconv.FormatInt(i, 10)]; known {
			e.Replication.Replicas = append(e.Replication.Replicas, readReplica(line))
		}
	}
	return nil
}

func readPersistence(info map[string]string) PersistenceFacts {
	return PersistenceFacts{
		AOF: info["aof_enabled"] == "1", Loading: info["loading"] == "1" || info["async_loading"] == "1",
		WriteStatus: info["aof_last_write_status"], RewriteStatus: info["aof_last_bgrewrite_status"],
		SaveStatus: info["rdb_last_bgsave_status"],
	}
}

func readMemory(info map[string]string) MemoryFacts {
	return MemoryFacts{Used: count(info["used_memory"]), Max: count(info["maxmemory"]), Policy: info["maxmemory_policy"]}
}

// readReplica reads ip=10.0.0.2,port=6379,state=online,offset=1,lag=0.
func readReplica(line string) ReplicaFacts {
	f := map[string]string{}
	for pair := range strings.SplitSeq(line, ",") {
		name, value, _ := strings.Cut(pair, "=")
		f[name] = value
	}
	return ReplicaFacts{
		Address: f["ip"] + ":" + f["port"], Online: f["state"] == "online", Lag: time.Duration(count(f["lag"])) * time.Second,
	}
}
