package consumer

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"orderq/internal/testhook"
	"orderq/streamutil"
)

// recovery takes back what dead consumers had in flight. A consumer is dead
// when its beat stood still for its lease, as this process watched it without
// a gap on its own clock. It also tells the last outcomes again when Redis may
// have forgotten them.
type recovery struct {
	*session

	mu    sync.Mutex
	watch watch
	dead  chan streamutil.Beat
}

func newRecovery(s *session) *recovery {
	return &recovery{
		session: s, dead: make(chan streamutil.Beat, 16),
		watch: watch{self: s.name, lease: s.cfg.Lease},
	}
}

// Run reclaims until ctx ends, which is no error.
func (r *recovery) Run(ctx context.Context) error {
	sweep := time.NewTicker(r.cfg.Lease)
	defer sweep.Stop()
	turn := time.NewTicker(turnEvery)
	defer turn.Stop()
	defer r.turns.ended(loopRecovery)
	for {
		r.turns.turned(loopRecovery)
		select {
		case b := <-r.dead:
			r.reclaim(ctx, b)
		case <-r.again:
			r.settler.repeat(ctx)
		case <-sweep.C:
			r.sweep(ctx)
		case <-turn.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *recovery) reclaim(ctx context.Context, b streamutil.Beat) {
	done, err := r.queue.Reclaim(ctx, b.Name, b.Count, r.policy(r.quiet(b)))
	switch {
	case err != nil:
		r.trouble.count(err) // still dead at the next beat, and tried again
	case !done.Alive:
		r.metrics.Reclaimed(done.Due + done.Dead)
		r.log.Warn("took back what a dead consumer had in flight",
			zap.String("dead", b.Name), zap.Int("due", done.Due), zap.Int("dead_letters", done.Dead))
		for range done.Dead {
			r.metrics.Finished(streamutil.Dead)
		}
		r.bell.ring()
	}
}

// quiet is how long the partner may yet be at work on a dead consumer's call: it
// began within two thirds of a lease of its last beat, and a whole one has passed.
func (r *recovery) quiet(b streamutil.Beat) time.Duration {
	if testhook.NoFence.Load() {
		return 0
	}
	return max(r.cfg.CallTimeout-max(r.cfg.Lease, b.Lease)/3, 0)
}

// sweep looks for what somebody's hand took from its consumer.
func (r *recovery) sweep(ctx context.Context) {
	found, err := r.queue.Sweep(ctx)
	if err != nil {
		r.trouble.count(err) // the next one comes soon
	}
	if found > 0 {
		r.log.Warn("found orders again that somebody acknowledged or took from their consumer by hand", zap.Int("orders", found))
		r.bell.ring()
	}
}

// observe takes note of everybody's beats, read at the given moment.
func (r *recovery) observe(beats []streamutil.Beat, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.watch.observe(beats, at) {
		select {
		case r.dead <- b:
		default: // as many wait to be reclaimed already; it stays dead
		}
	}
}

// lost begins the watch anew: what we did not see may have moved.
func (r *recovery) lost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch.seen = nil
}

// watch judges beats by one process's own clock.
type watch struct {
	self  string
	lease time.Duration

	seen map[string]sighting
	last time.Duration
}

// sighting is since when a beat has been seen to stand at a count.
type sighting struct {
	count int64
	since time.Duration
}

// observe returns the beats that have stood still for a lease, counted from
// their first reading. A gap between two readings begins all watches anew: it
// was we who may have been frozen.
func (w *watch) observe(beats []streamutil.Beat, at time.Duration) []streamutil.Beat {
	if at-w.last > w.lease/3 {
		w.seen = nil
	}
	w.last = at
	seen := make(map[string]sighting, len(beats))
	var dead []streamutil.Beat
	for _, b := range beats {
		s, ok := w.seen[b.Name]
		if !ok || s.count != b.Count {
			s = sighting{count: b.Count, since: at}
		}
		seen[b.Name] = s
		if b.Name != w.self && at-s.since >= w.patience(b) {
			dead = append(dead, b)
		}
	}
	w.seen = seen
	return dead
}

func (w *watch) patience(b streamutil.Beat) time.Duration {
	lease := max(w.lease, b.Lease)
	if testhook.NoFence.Load() {
		return lease / 50
	}
	return lease
}
