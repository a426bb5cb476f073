package streamutil

import (
	"context"
	"crypto/sha1" //nolint:gosec // EVALSHA names scripts by SHA-1
	_ "embed"
	"encoding/hex"
	"errors"

	"github.com/redis/rueidis"
)

// These run on another server than the queue's, know none of its keys, and so get
// nothing of lib.lua.
var (
	//go:embed source_list_read.lua
	sourceRead string
	//go:embed source_list_remove.lua
	sourceRemove string

	sourceReadScript   = newSourceScript("read list", sourceRead)
	sourceRemoveScript = newSourceScript("remove from list", sourceRemove)
)

func newSourceScript(name, text string) *script {
	text = uncommented(text)
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see the import
	return &script{name: name, text: text, sha: hex.EncodeToString(sum[:])}
}

// run calls a script on the list.
func (s *SourceList) run(ctx context.Context, script *script, args ...string) (*reply, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := s.client.connection(ctx)
	if err != nil {
		return nil, wrap(script.name, err)
	}
	args = append([]string{s.end}, args...)
	msg, err := rdb.Do(ctx, rdb.B().Evalsha().Sha1(script.sha).Numkeys(2).Key(s.key, s.side).Arg(args...).Build()).ToMessage()
	if classify(err) == kindNoScript {
		msg, err = rdb.Do(ctx, rdb.B().Eval().Script(script.text).Numkeys(2).Key(s.key, s.side).Arg(args...).Build()).ToMessage()
	}
	if err != nil {
		return nil, wrap(script.name, err)
	}
	values, err := msg.ToArray()
	if err != nil {
		return nil, wrap(script.name, err)
	}
	return &reply{script: script.name, values: values}, nil
}

// Known is what the queue knows of an order's id.
type Known struct {
	// State is empty if the id is not known.
	State State
	// Conflict says that it is known with another body, and Purged that a purge has
	// cancelled it.
	Conflict, Purged bool
}

// Known tells which orders the queue knows, as the records say it (HMGET): one that
// was deleted by hand counts as known. It changes nothing.
//
// Errors: [ErrUnavailable].
func (q *Queue) Known(ctx context.Context, orders []NewOrder) ([]Known, error) {
	const doing = "look up orders"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap(doing, err)
	}
	cmds := make(rueidis.Commands, 0, len(orders))
	for _, o := range orders {
		cmds = append(cmds, rdb.B().Hmget().Key(q.keys.order+o.ID).Field("state", "hash", "purged_by").Build())
	}
	known := make([]Known, len(orders))
	for i, r := range rdb.DoMulti(ctx, cmds...) {
		f, err := r.AsStrSlice()
		if err != nil {
			return nil, wrap(doing, err)
		}
		if len(f) != 3 {
			return nil, wrap(doing, errors.New("three fields were asked for"))
		}
		known[i] = Known{
			State: State(f[0]), Conflict: f[1] != "" && f[1] != bodyHash(orders[i].Body),
			Purged: State(f[0]) == Cancelled && f[2] != "",
		}
	}
	return known, nil
}
