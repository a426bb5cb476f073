package streamutil

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	"github.com/redis/rueidis"
)

// AccessFacts are about what the server lets this user do.
type AccessFacts struct {
	// User is who we are to Redis: "default" for somebody who gives no name.
	User string
	// Missing are the commands that producers, consumers and operators need and
	// this user may not run, such as xadd or xgroup|create.
	Missing []string
	// MissingKeys are patterns of keys that the user may not use, such as
	// orderq:{orders}:*.
	MissingKeys []string
}

// needs are the commands that the scripts and this package use, each so that it
// fails or does nothing by itself on a key that does not exist, which KEY stands
// for: where the server cannot be asked what a user may do, they are tried.
var needs = []string{
	"PING", "TIME", "INFO replication", "SCAN 0 COUNT 1", "EVALSHA 0000000000000000000000000000000000000000 0", "EVAL x 9",
	"DEL KEY", "PERSIST KEY", "PEXPIRE KEY 1", "PTTL KEY",
	"HDEL KEY f", "HEXISTS KEY f", "HGET KEY f", "HGETALL KEY", "HLEN KEY", "HMGET KEY f", "HSET KEY f v f", "HVALS KEY",
	"XACK KEY g 0-1", "XADD KEY MAXLEN none * f v", "XCLAIM KEY g c 0 0-1", "XDEL KEY 0-1", "XGROUP|CREATE KEY g 0",
	"XGROUP|DELCONSUMER KEY g c", "XINFO|GROUPS KEY", "XINFO|STREAM KEY", "XLEN KEY", "XPENDING KEY g", "XRANGE KEY - +", "XREVRANGE KEY + -",
	"XREAD COUNT 1 STREAMS KEY 0", "XREADGROUP GROUP g c STREAMS KEY >",
	"ZADD KEY NX XX 1 m", "ZCARD KEY", "ZCOUNT KEY 0 1", "ZRANGE KEY 0 0", "ZRANGEBYSCORE KEY 0 1", "ZREM KEY m", "ZSCORE KEY m",
}

// trial is one thing that the user must be able to do.
type trial struct {
	command string   // as ACL SETUSER names it
	words   []string // the command line
	key     string   // "" without one
}

// trials are all needs on a key that nobody has, and a look at each key there is.
func (q *Queue) trials(waitAOF bool) []trial {
	nobodys := q.keys.order + "doctor-" + rand.Text()
	all := slices.Clone(needs)
	switch d := q.client.cfg.Durability; {
	case d.replicas > 0:
		all = append(all, "WAIT 0 1")
	case d.fsync && waitAOF:
		all = append(all, "COMMAND|INFO ping", "WAITAOF 0 0 1")
	case d.fsync:
		all = append(all, "CONFIG|GET appendfsync")
	}
	var list []trial
	for _, need := range all {
		list = append(list, newTrial(need, nobodys))
	}
	for _, key := range q.keys.script() {
		list = append(list, newTrial("PTTL KEY", key))
	}
	return list
}

func newTrial(need, key string) trial {
	words := strings.Fields(need)
	t := trial{command: strings.ToLower(words[0])}
	t.words = append(strings.Split(words[0], "|"), words[1:]...)
	if at := slices.Index(t.words, "KEY"); at >= 0 {
		t.key, t.words[at] = key, key
	}
	return t
}

// run gives the command itself; its key tells a cluster where to.
func (t trial) run(rdb rueidis.Client) rueidis.Completed {
	at := slices.Index(t.words, t.key)
	if t.key == "" {
		return rdb.B().Arbitrary(t.words...).Build()
	}
	return rdb.B().Arbitrary(t.words[:at]...).Keys(t.key).Args(t.words[at+1:]...).Build()
}

// examineAccess asks the server what this user may do (ACL DRYRUN), or tries.
func (q *Queue) examineAccess(ctx context.Context, rdb rueidis.Client, waitAOF bool) (AccessFacts, error) {
	a, list := AccessFacts{User: q.client.cfg.Username}, q.trials(waitAOF)
	if a.User == "" {
		a.User = "default"
	}
	asks, tries := rueidis.Commands{q.here(rdb)}, rueidis.Commands{q.here(rdb)}
	for _, t := range list {
		asks = append(asks, rdb.B().Arbitrary("ACL", "DRYRUN", a.User).Args(t.words...).Build())
		tries = append(tries, t.run(rdb))
	}
	answers := rdb.DoMulti(ctx, asks...)[1:]
	if _, refused := rueidis.IsRedisErr(answers[0].Error()); refused {
		answers = rdb.DoMulti(ctx, tries...)[1:]
	}
	for i, t := range list {
		text, err := denial(answers[i])
		if err != nil {
			return a, err
		}
		switch {
		case text == "":
		case strings.Contains(text, " key"):
			a.MissingKeys = appendNew(a.MissingKeys, strings.TrimSuffix(q.keys.stream, "stream")+"*")
		default:
			a.Missing = appendNew(a.Missing, t.command)
		}
	}
	return a, nil
}

func appendNew(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

// denial is what the server says of a right that is missing: by ACL DRYRUN as an
// answer, by the command itself as an error.
func denial(r rueidis.RedisResult) (string, error) {
	err := r.Error()
	if re, said := errors.AsType[*rueidis.RedisError](err); said {
		if text := re.Error(); strings.HasPrefix(text, "NOPERM") {
			return text, nil
		}
		return "", nil // what fails for another reason was allowed
	}
	if err != nil {
		return "", err
	}
	if text, err := r.ToString(); err == nil && strings.Contains(text, "no permissions") {
		return text, nil
	}
	return "", nil
}
