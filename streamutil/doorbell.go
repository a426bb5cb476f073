package streamutil

import (
	"context"
	"errors"
	"time"
)

// AwaitEntry blocks until the stream has an entry after the given one, or until
// wait has passed (XREAD BLOCK). It reports whether there is one. It reads
// only, so a wait that is cancelled loses nothing; a cancelled blocking
// XREADGROUP would strand what it was just given.
func (q *Queue) AwaitEntry(ctx context.Context, after EntryID, wait time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return false, wrap("await entry", err)
	}
	cmd := rdb.B().Xread().Count(1).Block(max(wait.Milliseconds(), 1)).Streams().Key(q.keys.stream).Id(after.String()).Build()
	msg, err := rdb.Do(ctx, cmd).ToMessage()
	switch {
	case err == nil:
		return !msg.IsNil(), nil
	case isNil(err):
		return false, nil
	case errors.Is(err, context.Canceled):
		return false, context.Cause(ctx)
	}
	return false, wrap("await entry", err)
}
