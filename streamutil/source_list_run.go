package streamutil

import (
	"context"
	"crypto/sha1" //nolint:gosec // EVALSHA names scripts by SHA-1
	_ "embed"
	"encoding/hex"
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
