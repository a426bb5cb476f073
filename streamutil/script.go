package streamutil

import (
	"context"
	"crypto/sha1" //nolint:gosec // EVALSHA names scripts by SHA-1
	"embed"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/redis/rueidis"
)

//go:embed scripts/*.lua
var sources embed.FS

// script is one Lua file with what it uses of lib.lua put before it.
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
	listScript      = newScript("list", readOnly)
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
	purgeScript     = newScript("purge", anyMemory)
	importScript    = newScript("import", legacy)
	recordsScript   = newScript("records", readOnly)
)

func newScript(name, flags string) *script {
	text := flags + needed(source(name))
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see the import
	return &script{name: name, text: text, sha: hex.EncodeToString(sum[:])}
}

func source(name string) string {
	b, err := sources.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic("streamutil: " + err.Error()) // the file is compiled in
	}
	return string(b)
}

var libFunction = regexp.MustCompile(`(?m)^local function (\w+)`)

// libPart is a paragraph of the library: a function, or something else without
// a name.
type libPart struct{ name, text string }

// library is the paragraphs of the library, the last first.
var library = sync.OnceValue(func() []libPart {
	var parts []libPart
	for text := range strings.SplitSeq(uncommented(source("lib")), "\n\n") {
		part := libPart{text: text}
		if named := libFunction.FindStringSubmatch(text); named != nil {
			part.name = named[1]
		}
		parts = append(parts, part)
	}
	slices.Reverse(parts)
	return parts
})

// needed gives a script with those functions of the library before it that it
// uses, itself or through others, and all of the library that is no function.
// Redis makes every function anew at each call: all of them together took half
// the time of an enqueue.
func needed(text string) string {
	used := map[string]bool{}
	use := func(lua string) {
		for _, word := range strings.FieldsFunc(lua, notOfAWord) {
			used[word] = true
		}
	}
	use(text)
	for _, part := range library() {
		if part.name == "" || used[part.name] {
			text = part.text + "\n" + text
			use(part.text)
		}
	}
	return text
}

func notOfAWord(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }

var luaComment = regexp.MustCompile(`(?m)^--.*\n`)

func uncommented(lua string) string { return luaComment.ReplaceAllString(lua, "") }

// ready gives the connection, once it is known that the durability asked for
// can be had.
func (q *Queue) ready(ctx context.Context, confirm bool) (rueidis.Client, error) {
	rdb, err := q.client.connection(ctx)
	if err == nil && confirm && q.client.cfg.Durability.fsync && !q.client.fsyncChecked.Load() {
		err = q.client.CheckDurability(ctx)
	}
	return rdb, err
}

// run calls a script and returns its reply, an array. With confirm the write
// must have reached the durability asked for; if it did not in time, the error
// is ErrNotConfirmed although the script ran.
func (q *Queue) run(ctx context.Context, s *script, confirm bool, args ...string) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.ready(ctx, confirm)
	if err != nil {
		return nil, wrap(s.name, err)
	}
	keys := q.keys.script()
	bySHA := rdb.B().Evalsha().Sha1(s.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
	msg, reached, err := q.call(ctx, rdb, confirm, bySHA)
	if classify(err) == kindNoScript {
		// Nothing ran: the server restarted, or has not seen this script yet.
		byText := rdb.B().Eval().Script(s.text).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
		msg, reached, err = q.call(ctx, rdb, confirm, byText)
	}
	if err != nil {
		return nil, wrap(s.name, err)
	}
	values, err := msg.ToArray()
	if err != nil {
		return nil, wrap(s.name, err)
	}
	return &reply{script: s.name, values: values, reached: reached}, nil
}

// call sends a command and, in the same pipeline on the same connection, what
// vouches for it: WAIT sent alone vouches for nothing. It also tells what the
// write has reached.
func (q *Queue) call(ctx context.Context, rdb rueidis.Client, confirm bool, cmd rueidis.Completed) (rueidis.RedisMessage, Durability, error) {
	asked := q.client.cfg.Durability
	wait, want, needed := asked.confirmation(rdb, q.client.appendAlways.Load())
	if !confirm || !needed {
		msg, err := rdb.Do(ctx, cmd).ToMessage()
		return msg, asked, err
	}
	answers := rdb.DoMulti(ctx, cmd, wait)
	msg, err := answers[0].ToMessage()
	if err != nil {
		return msg, asked, err
	}
	reached, err := confirmed(answers[1])
	if err != nil || reached < want {
		q.client.fsyncChecked.Store(false) // what the server can do may have changed
	}
	switch {
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrNotConfirmed, err)
	case reached < want:
		err = fmt.Errorf("%w: %s, reached %d", ErrNotConfirmed, asked, reached)
	case asked.replicas > 0:
		asked.replicas = int(reached)
	}
	return msg, asked, err
}
