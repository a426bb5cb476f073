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

// Replicated reports whether writes are confirmed by replicas.
func (d Durability) Replicated() bool { return d.replicas > 0 }

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
	case d.fsync && !appendAlways:
		return rdb.B().Waitaof().Numlocal(1).Numreplicas(0).Timeout(ms).Build(), 1, true
	}
	return rueidis.Completed{}, 0, false
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
