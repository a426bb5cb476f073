package ops

import (
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// healthy is an examination with which all is well.
func healthy() *patient {
	p := &patient{again: "orderq", redis: "redis 127.0.0.1:6379 db 0", queue: busy()}
	p.exam = streamutil.Examination{
		CLI: "redis-cli", Latency: []time.Duration{time.Millisecond, time.Millisecond, 2 * time.Millisecond},
		Server:      streamutil.ServerFacts{Known: true, Version: "7.2.4", WaitAOF: true, Clients: 3, MaxClients: 100},
		Persistence: streamutil.PersistenceFacts{AOF: true, Fsync: "everysec", WriteStatus: "ok", RewriteStatus: "ok", SaveStatus: "ok"},
		Memory:      streamutil.MemoryFacts{Used: 10 << 20, Max: 100 << 20, Policy: "noeviction"},
		Replication: streamutil.ReplicationFacts{MinReplicas: -1},
		Access:      streamutil.AccessFacts{User: "default"},
		Queue:       streamutil.QueueFacts{MaxBacklog: 1000, LogLines: 10, LogMax: 10_000, LogSince: p.queue.Time.Add(-time.Minute)},
	}
	return p
}

func (p *patient) examined() []Finding {
	p.judgeServer()
	p.judgeAccess()
	p.judgeQueue()
	return p.found
}

func durability(t *testing.T, text string) streamutil.Durability {
	t.Helper()
	d, err := streamutil.ParseDurability(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAllIsWell(t *testing.T) {
	for _, f := range healthy().examined() {
		if f.Result != Pass || f.Mend != "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestDoctorJudges(t *testing.T) {
	replica := streamutil.ReplicaFacts{Address: "10.0.0.2:6379", Online: true}
	fsync, two := durability(t, "fsync"), durability(t, "replicas=2")
	for _, tt := range []struct {
		name   string
		with   func(*patient)
		check  string
		result Verdict
		detail string
		mend   string
	}{
		{"far", func(p *patient) { p.exam.Latency[1] = 11 * time.Millisecond }, "latency", Warn, "median 11.00 ms, worst 2.00 ms of 3", "redis-cli --latency-history"},
		{"a hitch", func(p *patient) { p.exam.Latency[2] = 101 * time.Millisecond }, "latency", Warn, "worst 101.00 ms", ""},
		{"clock ahead", func(p *patient) { p.exam.Ahead = 6 * time.Second }, "clock", Warn, "is 6.0 s ahead of this machine's; nothing depends on it", "timedatectl"},
		{"clock behind", func(p *patient) { p.exam.Ahead = -6 * time.Second }, "clock", Warn, "is 6.0 s behind this", ""},
		{"old Redis", func(p *patient) { p.exam.Server.Version = "6.2.14" }, "redis version", Fail, "6.2.14: orderq needs 7.0", "upgrade"},
		{"no version", func(p *patient) { p.exam.Server.Version = "x" }, "redis version", Fail, "x: orderq needs 7.0", ""},
		{"Valkey", func(p *patient) { p.exam.Server.Valkey = "8.1.0" }, "redis version", Pass, "Valkey 8.1.0", ""},
		{"old Valkey", func(p *patient) { p.exam.Server.Valkey = "7.2.5" }, "redis version", Warn, "Valkey 7.2.5", ""},
		{"loading", func(p *patient) { p.exam.Persistence.Loading = true }, "loading", Fail, "still reads its data", ""},
		{"no AOF", func(p *patient) { p.exam.Persistence.AOF = false }, "persistence", Fail, "loses every order", "redis-cli CONFIG SET appendonly yes"},
		{"snapshots only", func(p *patient) { p.exam.Persistence.AOF, p.exam.Persistence.Snapshots = false, "3600 1" }, "persistence", Fail, "since the last snapshot", ""},
		{"fsync without AOF", func(p *patient) { p.exam.Persistence.AOF, p.exam.Durability = false, fsync }, "persistence", Fail, "redis.durability fsync needs", ""},
		{"replicas without AOF", func(p *patient) { p.exam.Persistence.AOF, p.exam.Durability = false, two }, "persistence", Warn, "end together", ""},
		{"fsync without WAITAOF", func(p *patient) { p.exam.Durability, p.exam.Server.WaitAOF = fsync, false }, "persistence", Fail, "it is everysec", "appendfsync always"},
		{"fsync always", func(p *patient) {
			p.exam.Durability, p.exam.Server.WaitAOF, p.exam.Persistence.Fsync = fsync, false, "always"
		}, "persistence", Pass, "a power cut loses no accepted order", ""},
		{"fsync confirmed", func(p *patient) { p.exam.Durability = fsync }, "persistence", Pass, "everysec: a power cut loses no", ""},
		{"fsync never", func(p *patient) { p.exam.Persistence.Fsync = "no" }, "persistence", Warn, "half a minute", "appendfsync everysec"},
		{"no CONFIG", func(p *patient) { p.exam.Persistence.Fsync = "" }, "persistence", Pass, "append-only file", ""},
		{"disk full", func(p *patient) { p.exam.Persistence.WriteStatus = "err" }, "disk", Fail, "append-only file failed: Redis takes no writes", "CONFIG GET dir"},
		{"no snapshot", func(p *patient) { p.exam.Persistence.SaveStatus = "err" }, "disk", Warn, "snapshot failed", ""},
		{"no snapshot, and it stops", func(p *patient) { p.exam.Persistence.SaveStatus, p.exam.Persistence.Snapshots = "err", "60 1" }, "disk", Fail, "takes no writes", ""},
		{"no rewriting", func(p *patient) { p.exam.Persistence.RewriteStatus = "err" }, "disk", Warn, "grows on", ""},
		{"evicts", func(p *patient) { p.exam.Memory.Policy = "allkeys-lru" }, "memory policy", Fail, "allkeys-lru: ", "redis-cli CONFIG SET maxmemory-policy noeviction"},
		{"evicts what expires", func(p *patient) { p.exam.Memory.Policy = "volatile-ttl" }, "memory policy", Fail, "", ""},
		{"memory nearly full", func(p *patient) { p.exam.Memory.Used = 81 << 20 }, "memory", Warn, "81 MiB of 100 MiB", "maxmemory"},
		{"memory full", func(p *patient) { p.exam.Memory.Used = 100 << 20 }, "memory", Fail, "new orders are refused", ""},
		{"no bound", func(p *patient) { p.exam.Memory.Max = 0 }, "memory", Pass, "no bound", ""},
		{"a replica", func(p *patient) { p.exam.Replication.Replica = true }, "role", Fail, "read-only replica", ""},
		{"Sentinel, no replicas asked", func(p *patient) {
			p.exam.Sentinel, p.exam.Replication.Replicas = true, []streamutil.ReplicaFacts{replica}
		}, "durability", Warn, "memory: a failover", "redis.durability: replicas=1"},
		{"a cluster's master", func(p *patient) {
			p.exam.Server.Cluster, p.exam.Replication.Replicas = true, []streamutil.ReplicaFacts{replica}
		}, "durability", Warn, "memory: a failover", "replicas=1"},
		{"replica missing", func(p *patient) {
			p.exam.Durability, p.exam.Replication.Replicas = two, []streamutil.ReplicaFacts{replica}
		}, "durability", Fail, "replicas=2 and 1 replica connected", "INFO replication"},
		{"not all waited for", func(p *patient) {
			p.exam.Durability, p.exam.Replication.Replicas = two, []streamutil.ReplicaFacts{replica, replica, replica}
		}, "durability", Warn, "replicas=2 of 3", "replicas=3"},
		{"old master", func(p *patient) {
			p.exam.Durability, p.exam.Replication = two, streamutil.ReplicationFacts{Replicas: []streamutil.ReplicaFacts{replica, replica}}
		}, "durability", Warn, "min-replicas-to-write is 0", "min-replicas-to-write 2"},
		{"lag", func(p *patient) {
			p.exam.Replication.Replicas = []streamutil.ReplicaFacts{{Address: "r:1", Online: true, Lag: 11 * time.Second}}
		}, "replicas", Warn, "r:1 does not keep up: last heard of 11 s ago", ""},
		{"not online", func(p *patient) { p.exam.Replication.Replicas = []streamutil.ReplicaFacts{{Address: "r:1"}} }, "replicas", Warn, "r:1", ""},
		{"in step", func(p *patient) { p.exam.Replication.Replicas = []streamutil.ReplicaFacts{replica} }, "replicas", Pass, "1 in step", ""},
		{"clients", func(p *patient) { p.exam.Server.Clients = 81 }, "clients", Warn, "81 connections of at most 100", "maxclients 200"},
		{"slow", func(p *patient) {
			p.exam.Slow = []streamutil.SlowCall{
				{What: "take.lua", Took: 6 * time.Millisecond, At: time.Now()},
				{What: "XRANGE", Took: 5 * time.Millisecond},
				{What: "settle.lua", Took: 12 * time.Millisecond, At: time.Now().Add(-time.Minute)},
			}
		}, "slow log", Warn, "2 calls for this queue over 5 ms, the slowest settle.lua with 12.00 ms, 1 min 0 s ago", "SLOWLOG GET"},
		{"rights", func(p *patient) {
			p.exam.Access = streamutil.AccessFacts{User: "w", Missing: []string{"xadd", "xgroup|create"}, MissingKeys: []string{"orderq:{q}:*"}}
		}, "permissions", Fail, "user w may not use: xadd, xgroup|create, keys orderq:{q}:*", "redis-cli ACL SETUSER w +xadd +'xgroup|create' '~orderq:{q}:*'"},
		{"stalled", func(p *patient) { p.queue.State, p.queue.Reason = streamutil.QueueStalled, "no" }, "queue", Warn, "stalled: no", "orderq status"},
		{"no group", func(p *patient) { p.queue.GroupExists = false }, "group", Warn, "not there", "systemctl start orderq-consumer"},
		{"no consumer", func(p *patient) { p.queue.Consumers = nil }, "consumers", Warn, "none is running", "systemctl start"},
		{"dead consumer", func(p *patient) { p.queue.Consumers[0].Alive = false }, "consumers", Warn, "none lives; no sign of life from w", "systemctl start"},
		{"one of two", func(p *patient) {
			p.queue.Consumers = append(p.queue.Consumers, streamutil.ConsumerInfo{Name: "v"})
		}, "consumers", Warn, "1 alive, and no sign of life from v", ""},
		{"late beat", func(p *patient) { p.queue.Consumers[0].Seen = 8 * time.Second }, "heartbeats", Warn, "w, 8.0 s ago", ""},
		{"trouble", func(p *patient) { p.queue.Consumers[0].Trouble = "auth" }, "consumer work", Fail, "1 of 1 cannot do their work with Redis, such as w (auth)", ""},
		{"paces", func(p *patient) {
			p.queue.Consumers = append(p.queue.Consumers, streamutil.ConsumerInfo{Name: "v", Alive: true, Lease: 15 * time.Second, Pace: time.Second / 2, Version: "v1"})
		}, "consumer paces", Warn, "differ: 1/s, 2/s; the slowest counts for all", ""},
		{"versions", func(p *patient) {
			p.queue.Consumers = append(p.queue.Consumers, streamutil.ConsumerInfo{Name: "v", Alive: true, Lease: 15 * time.Second, Pace: time.Second, Version: "v2"})
		}, "consumer versions", Warn, "differ: v1, v2", ""},
		{"leases", func(p *patient) {
			p.queue.Consumers = append(p.queue.Consumers, streamutil.ConsumerInfo{Name: "v", Alive: true, Lease: time.Minute, Pace: time.Second, Version: "v1"})
		}, "consumer leases", Warn, "differ: 1 min 0 s, 15 s", ""},
		{"dangling", func(p *patient) { p.exam.Queue.Dangling = map[string]int64{"x": 2, "y": 1} }, "pending", Warn, "3 orders in flight with names that are not registered (x, y)", "orderq pending"},
		{"dangling, nobody there", func(p *patient) {
			p.queue.Consumers, p.exam.Queue.Dangling = nil, map[string]int64{"x": 1}
		}, "pending", Warn, "1 order in flight", "systemctl start"},
		{"nearly full", func(p *patient) { p.queue.Length = 801 }, "backlog", Warn, "801 of at most 1000", "queue.max_backlog"},
		{"full", func(p *patient) { p.queue.Length = 1000 }, "backlog", Fail, "new orders are refused", ""},
		{"dead letters", func(p *patient) { p.queue.Dead = 2 }, "dead letters", Warn, "2 orders set aside", "orderq dead list"},
		{"short log", func(p *patient) { p.exam.Queue.LogLines = 10_001 }, "log", Warn, "reaches only 10001 lines, 1 min 0 s back", "queue.log_max: 100000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := healthy()
			tt.with(p)
			var got []Finding
			for _, f := range p.examined() {
				if f.Check == tt.check {
					got = append(got, f)
				}
				if f.Result == Pass != (f.Mend == "") {
					t.Errorf("what is well needs no mending, all else does: %+v", f)
				}
			}
			if len(got) != 1 {
				t.Fatalf("%d findings on %s: %+v", len(got), tt.check, got)
			}
			if f := got[0]; f.Result != tt.result || !strings.Contains(f.Detail, tt.detail) || !strings.Contains(f.Mend, tt.mend) {
				t.Errorf("got %+v\nwant %s, %q, %q", f, tt.result, tt.detail, tt.mend)
			}
		})
	}
}

// TestWhatIsNotKnownIsNotJudged is a server that tells nothing of itself.
func TestWhatIsNotKnownIsNotJudged(t *testing.T) {
	p := &patient{exam: streamutil.Examination{Latency: []time.Duration{1}, Unseen: []string{"INFO", "TIME"}}}
	p.judgeServer()
	if len(p.found) != 1 || p.found[0].Check != "latency" {
		t.Errorf("found %+v", p.found)
	}
}
