package streamutil

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// confirmWithin is how long a write may take to be confirmed by the disk or by
// the replicas (WAIT, WAITAOF). Twice of it fits into callTimeout: a script that
// the server has not seen is sent a second time, each time with its WAIT.
const confirmWithin = 800 * time.Millisecond

// Durability is what a write must have reached before it counts. The zero
// value is memory: whatever the server does by itself.
type Durability struct {
	fsync    bool
	replicas int
}

// Replicas is how many replicas confirm a write; 0 is none.
func (d Durability) Replicas() int { return d.replicas }

// Fsync is whether a write must be on the server's disk.
func (d Durability) Fsync() bool { return d.fsync }

// ParseDurability reads "memory", "fsync" or "replicas=N" with N of 1 to 99.
func ParseDurability(s string) (Durability, error) {
	switch s {
	case "", "memory":
		return Durability{}, nil
	case "fsync":
		return Durability{fsync: true}, nil
	}
	if count, ok := strings.CutPrefix(s, "replicas="); ok {
		if n, err := strconv.Atoi(count); err == nil && n >= 1 && n <= 99 {
			return Durability{replicas: n}, nil
		}
	}
	return Durability{}, fmt.Errorf("durability %q: want memory, fsync or replicas=N with N of 1 to 99", s)
}

// String gives the form that [ParseDurability] reads.
func (d Durability) String() string {
	switch {
	case d.fsync:
		return "fsync"
	case d.replicas > 0:
		return "replicas=" + strconv.Itoa(d.replicas)
	}
	return "memory"
}

// MarshalText implements [encoding.TextMarshaler].
func (d Durability) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Durability) UnmarshalText(b []byte) error {
	parsed, err := ParseDurability(string(b))
	*d = parsed
	return err
}

// confirmation is the command that vouches for the write before it on the same
// connection, and how many it must report.
func (d Durability) confirmation(rdb rueidis.Client, appendAlways bool) (rueidis.Completed, int64, bool) {
	ms := confirmWithin.Milliseconds()
	switch {
	case d.replicas > 0:
		return rdb.B().Wait().Numreplicas(int64(d.replicas)).Timeout(ms).Build(), int64(d.replicas), true
	case d.fsync && appendAlways:
		// With appendfsync always a reply leaves after the disk has the write. That it
		// is so still, after a restart too, only the server can say.
		return rdb.B().ConfigGet().Parameter("appendonly").Parameter("appendfsync").Build(), 1, true
	case d.fsync:
		return rdb.B().Waitaof().Numlocal(1).Numreplicas(0).Timeout(ms).Build(), 1, true
	}
	return rueidis.Completed{}, 0, false
}

// confirmed reads the reply of WAIT (a number), of WAITAOF (local, replicas), or of
// CONFIG GET (1 if every write is on disk before its reply).
func confirmed(r rueidis.RedisResult) (int64, error) {
	msg, err := r.ToMessage()
	if err != nil {
		return 0, err
	}
	if msg.IsInt64() {
		return msg.AsInt64()
	}
	if settings, err := msg.AsStrMap(); err == nil && settings["appendonly"] != "" {
		if settings["appendonly"] == "yes" && settings["appendfsync"] == "always" {
			return 1, nil
		}
		return 0, nil
	}
	counts, err := msg.AsIntSlice()
	if err != nil || len(counts) == 0 {
		return 0, err
	}
	return counts[0], nil
}

var infoField = regexp.MustCompile(`(?m)^(\w+):(.*?)\r?$`)

func infoFields(text string) map[string]string {
	fields := map[string]string{}
	for _, m := range infoField.FindAllStringSubmatch(text, -1) {
		fields[m[1]] = m[2]
	}
	return fields
}

// CheckDurability asks the server whether it can give the durability asked for.
// The error matches [ErrDurability] if it never can, and says why;
// [ErrUnavailable] if the server cannot be asked now.
func (c *Client) CheckDurability(ctx context.Context) error {
	if !c.cfg.Durability.fsync {
		return nil
	}
	always, err := c.fsyncsAlways(ctx)
	if err == nil {
		c.appendAlways.Store(always)
		c.fsyncChecked.Store(true)
	}
	return wrap("check durability", err)
}

// CheckDurability is that of the queue's client.
func (q *Queue) CheckDurability(ctx context.Context) error { return q.client.CheckDurability(ctx) }

// fsyncsAlways reports whether every write is on disk before its reply. If not,
// the server must know WAITAOF (Redis 7.2).
func (c *Client) fsyncsAlways(ctx context.Context) (bool, error) {
	rdb, err := c.connection(ctx)
	if err != nil {
		return false, err
	}
	info, err := rdb.Do(ctx, rdb.B().Info().Section("persistence").Build()).ToString()
	if err != nil {
		return false, err
	}
	if infoFields(info)["aof_enabled"] != "1" {
		return false, fmt.Errorf("%w: fsync needs the append-only file; set appendonly yes on %s", ErrDurability, c.Addr())
	}
	known, err := rdb.Do(ctx, rdb.B().CommandInfo().CommandName("waitaof").Build()).ToArray()
	if err == nil && len(known) == 1 && !known[0].IsNil() {
		return false, nil
	}
	policy, err := rdb.Do(ctx, rdb.B().ConfigGet().Parameter("appendfsync").Build()).AsStrMap()
	if err != nil {
		return false, err
	}
	if policy["appendfsync"] != "always" {
		return false, fmt.Errorf("%w: %s has no WAITAOF (Redis 7.2 has), so fsync needs appendfsync always there; it is %q",
			ErrDurability, c.Addr(), policy["appendfsync"])
	}
	return true, nil
}
