package streamutil

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/redis/rueidis"
)

const (
	// examineTimeout bounds a whole examination.
	examineTimeout = 4 * time.Second
	// pings is how many small commands measure the way to Redis.
	pings = 7
)

// Examination is what Redis, and a queue in it, tell of themselves, for somebody
// to judge. It holds no secrets, and nothing of any order.
type Examination struct {
	// CLI is how redis-cli reaches this server. It asks for a password itself.
	CLI string
	// Durability is what was asked for, and Sentinel whether that names the master.
	Durability Durability
	Sentinel   bool
	// Latency is how long a few small commands took, the fastest first.
	Latency []time.Duration
	// Ahead is by how much Redis's clock is before this machine's. It is wrong by
	// up to the latency.
	Ahead       time.Duration
	Server      ServerFacts
	Persistence PersistenceFacts
	Memory      MemoryFacts
	Replication ReplicationFacts
	Access      AccessFacts
	Queue       QueueFacts
	// Slow are the calls on this queue's keys that the server's slow log keeps,
	// the newest first.
	Slow []SlowCall
	// Unseen are the commands that the server did not answer, since it does not
	// know them or this user may not run them; what they tell is missing.
	Unseen []string
}

// ServerFacts are about the program and its connections.
type ServerFacts struct {
	// Known is false if INFO was not answered. Then Persistence, Memory and
	// Replication say nothing either, but for what is in CONFIG.
	Known bool
	// Version is that of Redis whose commands the server knows; Valkey is its own
	// if it is one, else empty.
	Version, Valkey string
	// Cluster is whether it is a node of one.
	Cluster bool
	// WaitAOF is whether it can confirm that a write is on its disk.
	WaitAOF bool
	// Clients are connected, of MaxClients; 0 of those is not known.
	Clients, MaxClients int64
}

// PersistenceFacts are about what survives the end of the server.
type PersistenceFacts struct {
	// AOF is whether every write goes to a file, and Fsync when that is forced to
	// the disk: always, everysec or no; empty is not known.
	AOF   bool
	Fsync string
	// Snapshots is when the whole is saved, as the server's save has it; empty is
	// never, or not known.
	Snapshots string
	// WriteStatus, RewriteStatus and SaveStatus are how the last write to the file,
	// its last rewriting and the last snapshot ended: ok, err or empty.
	WriteStatus, RewriteStatus, SaveStatus string
	// Loading is whether it still reads its data, and answers nothing else.
	Loading bool
}

// MemoryFacts are in bytes. Max is 0 without a bound; Policy says what goes
// when that is reached, and is empty if it is not known.
type MemoryFacts struct {
	Used, Max int64
	Policy    string
}

// Full is whether Redis refuses new orders for want of memory. It takes note of
// what becomes of the accepted ones all the same.
func (m MemoryFacts) Full() bool { return m.Max > 0 && m.Policy == noEviction && m.Used >= m.Max }

// ReplicationFacts are about who else has the data.
type ReplicationFacts struct {
	// Replica is whether this server is one itself.
	Replica  bool
	Replicas []ReplicaFacts
	// MinReplicas is how many must keep up for it to take writes; -1 is not known.
	MinReplicas int64
}

// ReplicaFacts are about one replica.
type ReplicaFacts struct {
	Address string
	// Online is whether it has all data and follows.
	Online bool
	// Lag is how long ago it was last heard of, in whole seconds.
	Lag time.Duration
}

// QueueFacts are about a queue, beside what a [Snapshot] tells.
type QueueFacts struct {
	// MaxBacklog is how many unfinished orders this program lets it hold.
	MaxBacklog int64
	// Dangling counts the entries in flight with names that are not registered.
	Dangling map[string]int64
	// LogLines is how long its log is, and LogSince when the oldest line of it was
	// written; zero without one.
	LogLines, LogMax int64
	LogSince         time.Time
}

// SlowCall is an entry of the server's slow log.
type SlowCall struct {
	// What is a script of ours, or a command.
	What string
	Took time.Duration
	At   time.Time
}

// Examine looks at the server, at what this user may do there and at the queue.
// It changes nothing. Where the server refuses to tell, or cannot, that part is
// left empty; see Unseen. Commands that are tried and refused leave a line in
// Redis's ACL LOG.
//
// Errors: [ErrUnavailable].
func (q *Queue) Examine(ctx context.Context) (Examination, error) {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return Examination{}, wrap("examine", err)
	}
	cfg := q.client.cfg
	e := Examination{CLI: cfg.cli(), Durability: cfg.Durability, Sentinel: cfg.SentinelMaster != ""}
	e.Queue.MaxBacklog, e.Queue.LogMax = q.cfg.MaxBacklog, q.cfg.LogMax
	if e.Latency, err = q.ping(ctx, rdb); err != nil {
		return Examination{}, wrap("examine", err)
	}
	if err := q.examineServer(ctx, rdb, &e); err != nil {
		return Examination{}, wrap("examine", err)
	}
	if e.Access, err = q.examineAccess(ctx, rdb, e.Server.WaitAOF); err != nil {
		return Examination{}, wrap("examine", err)
	}
	return e, nil
}

// MaxBacklog is how many unfinished orders the queue takes before it refuses.
func (q *Queue) MaxBacklog() int64 { return q.cfg.MaxBacklog }

// cli is a command line for people, whose password redis-cli asks for.
func (c ClientConfig) cli() string {
	line := "redis-cli"
	if c.SentinelMaster != "" {
		line += " -h MASTER-OF-" + c.SentinelMaster // only the sentinels know, and it moves
	} else if host, port, err := net.SplitHostPort(c.Addresses[0]); err == nil && c.Addresses[0] != "127.0.0.1:6379" {
		line += fmt.Sprintf(" -h %s -p %s", host, port)
	}
	if c.TLS != nil {
		line += " --tls"
	}
	if c.Password != "" {
		line += " --askpass"
	}
	return line
}

// ping measures small commands. What is answered does not matter.
func (q *Queue) ping(ctx context.Context, rdb rueidis.Client) ([]time.Duration, error) {
	var took []time.Duration
	for range pings {
		start := time.Now()
		err := rdb.Do(ctx, q.here(rdb)).Error()
		if _, answered := rueidis.IsRedisErr(err); err != nil && !answered {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took, nil
}

// here is a small command that reaches the server with the queue's keys, and
// keeps with it what follows in the same pipeline: in a cluster INFO alone would
// be answered by any node.
func (q *Queue) here(rdb rueidis.Client) rueidis.Completed {
	return rdb.B().Xlen().Key(q.keys.stream).Build()
}
