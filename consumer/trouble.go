package consumer

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"orderq/metrics"
	"orderq/streamutil"
)

// trouble tells once that Redis gives trouble and once that it is over, though
// every loop meets it. Every error is counted.
type trouble struct {
	log     *zap.Logger
	redis   *metrics.Redis
	clock   clock
	blocked *blockage

	mu    sync.Mutex
	since time.Duration
	last  time.Duration   // when anything was last met
	in    map[string]bool // what is being tried again
	kind  string          // of the last error, while anything is
	// news has one token: it began, or is over.
	news chan struct{}
}

// tell wakes whoever passes it on.
func (t *trouble) tell() {
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// present is what the trouble is, in a word; empty without any.
func (t *trouble) present() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kind
}

// retrying reports whether there is trouble and somebody met it within the time:
// whoever tries again is not stuck.
func (t *trouble) retrying(within time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.in) > 0 && t.clock.now()-t.last <= within
}

// met is called for every error of something that is tried again until it
// succeeds.
func (t *trouble) met(doing string, err error) {
	t.count(err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.in) == 0 {
		t.since = t.clock.now()
		t.log.Warn("redis gives trouble; trying again until it answers",
			zap.String("doing", doing), zap.String("kind", streamutil.ErrorKind(err)), zap.Error(err))
	}
	t.in[doing], t.last = true, t.clock.now()
	reason := metrics.BlockedRedis
	if errors.Is(err, streamutil.ErrReplicas) || errors.Is(err, streamutil.ErrNotConfirmed) {
		reason = metrics.BlockedReplicas
	}
	t.blocked.set(byRedis, reason)
	if t.kind == "" {
		t.tell()
	}
	t.kind = cmp.Or(streamutil.ErrorKind(err), reason)
}

// count is called for an error of what is not tried again.
func (t *trouble) count(err error) {
	if kind := streamutil.ErrorKind(err); kind != "" {
		t.redis.Error(kind)
	}
}

// over is called after every success of what met may be called for.
func (t *trouble) over(doing string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.in[doing] {
		return
	}
	delete(t.in, doing)
	if len(t.in) > 0 {
		return
	}
	t.blocked.set(byRedis, "")
	t.kind = ""
	t.tell()
	t.log.Info("redis answers again", zap.Duration("after", t.clock.now()-t.since))
}
