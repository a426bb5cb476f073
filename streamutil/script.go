package streamutil

import (
	"context"
	"crypto/sha1" //nolint:gosec // EVALSHA names scripts by SHA-1
	"embed"
	"encoding/hex"
	"fmt"

	"github.com/redis/rueidis"
)

//go:embed scripts/*.lua
var sources embed.FS

// script is one Lua file with lib.lua put before it.
type script struct {
	name, text, sha string
}

// How a script may run. Without allow-oom Redis refuses at full memory to take
// note that an order was delivered, and it would be sent again.
const (
	anyMemory = "#!lua flags=allow-oom\n"
	readOnly  = "#!lua flags=no-writes\n"
	// legacy scripts run up to the first write that needs memory: enqueue still
	// recognises duplicates.
	legacy = ""
)

var (
	enqueueScript   = newScript("enqueue", legacy)
	lookupScript    = newScript("lookup", readOnly)
	registerScript  = newScript("register", anyMemory)
	heartbeatScript = newScript("heartbeat", anyMemory)
	openScript      = newScript("open", anyMemory)
	takeScript      = newScript("take", anyMemory)
	startedScript   = newScript("started", anyMemory)
	settleScript    = newScript("settle", anyMemory)
	releaseScript   = newScript("release", anyMemory)
	reclaimScript   = newScript("reclaim", anyMemory)
	leaveScript     = newScript("leave", anyMemory)
	sweepScript     = newScript("sweep", anyMemory)
	pauseScript     = newScript("pause", anyMemory)
	resumeScript    = newScript("resume", anyMemory)
	paceScript      = newScript("pace", anyMemory)
	retryScript     = newScript("retry", anyMemory)
	cancelScript    = newScript("cancel", anyMemory)
	requeueScript   = newScript("requeue", anyMemory)
	dropScript      = newScript("drop", anyMemory)
)

func newScript(name, flags string) *script {
	read := func(file string) string {
		b, err := sources.ReadFile("scripts/" + file + ".lua")
		if err != nil {
			panic("streamutil: " + err.Error()) // the file is compiled in
		}
		return string(b)
	}
	text := flags + read("lib") + "\n" + read(name)
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see the import
	return &script{name: name, text: text, sha: hex.EncodeToString(sum[:])}
}

// run calls a script and returns its reply, an array. With confirm the write
// must have reached the durability asked for; if it did not in time, the error
// is ErrNotConfirmed although the script ran.
func (q *Queue) run(ctx context.Context, s *script, confirm bool, args ...string) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap(s.name, err)
	}
	if confirm && q.client.cfg.Durability.fsync && !q.client.fsyncChecked.Load() {
		if err := q.client.CheckDurability(ctx); err != nil {
			return nil, wrap(s.name, err)
		}
	}
	bySHA := rdb.B().Evalsha().Sha1(s.sha).Numkeys(int64(len(q.keys.script()))).Key(q.keys.script()...).Arg(args...).Build()
	msg, err := q.call(ctx, rdb, confirm, bySHA)
	if classify(err) == kindNoScript {
		// Nothing ran: the server restarted, or has not seen this script yet.
		byText := rdb.B().Eval().Script(s.text).Numkeys(int64(len(q.keys.script()))).Key(q.keys.script()...).Arg(args...).Build()
		msg, err = q.call(ctx, rdb, confirm, byText)
	}
	if err != nil {
		return nil, wrap(s.name, err)
	}
	values, err := msg.ToArray()
	if err != nil {
		return nil, wrap(s.name, err)
	}
	return &reply{script: s.name, values: values}, nil
}

// call sends a command and, in the same pipeline on the same connection, what
// vouches for it: WAIT sent alone vouches for nothing.
func (q *Queue) call(ctx context.Context, rdb rueidis.Client, confirm bool, cmd rueidis.Completed) (rueidis.RedisMessage, error) {
	wait, want, needed := q.client.cfg.Durability.confirmation(rdb, q.client.appendAlways.Load())
	if !confirm || !needed {
		return rdb.Do(ctx, cmd).ToMessage()
	}
	answers := rdb.DoMulti(ctx, cmd, wait)
	msg, err := answers[0].ToMessage()
	if err != nil {
		return msg, err
	}
	reached, err := confirmed(answers[1])
	if err != nil {
		return msg, fmt.Errorf("%w: %w", ErrNotConfirmed, err)
	}
	if reached < want {
		return msg, fmt.Errorf("%w: %s, reached %d", ErrNotConfirmed, q.client.cfg.Durability, reached)
	}
	return msg, nil
}

// confirmed reads the reply of WAIT (a number) or WAITAOF (local, replicas).
func confirmed(r rueidis.RedisResult) (int64, error) {
	msg, err := r.ToMessage()
	if err != nil {
		return 0, err
	}
	if msg.IsInt64() {
		return msg.AsInt64()
	}
	counts, err := msg.AsIntSlice()
	if err != nil || len(counts) == 0 {
		return 0, err
	}
	return counts[0], nil
}
