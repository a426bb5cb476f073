package consumer

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"orderq/internal/testhook"
	"orderq/streamutil"
)

// errStopped ends a session's loops when all that was taken is settled.
var errStopped = errors.New("stopped")

// session is one registration of this process: it ends with the stop, or when
// others took its name away. The process itself goes on under a new name.
type session struct {
	*Consumer

	name  string
	fence *fence
	work  context.Context // ends when the grace after a stop is over
	again chan struct{}   // one token: tell the last outcomes again
	bell  *doorbell
}

// register makes a new name known and begins its session. It tries until Redis
// answers; the error is that ctx ended.
func (c *Consumer) register(ctx context.Context, work, calls context.Context) (*session, error) {
	for wait := redisBackoff(); ; {
		// Every try has a name of its own: one whose answer was lost may have
		// been watched by others for a while.
		id := streamutil.Identity{
			Name: newName(), Host: hostname(), PID: pid(),
			Version: c.cfg.Version, Pace: c.pace(), Lease: c.cfg.Lease,
		}
		sent := c.clock.now()
		slot, err := c.queue.Register(ctx, id)
		if err == nil {
			c.trouble.over("register")
			s := &session{
				Consumer: c, name: id.Name, work: work, again: make(chan struct{}, 1),
				bell:  newDoorbell(c.queue, func() { c.turns.turned(loopDispatcher) }),
				fence: newFence(calls, c.clock, c.cfg.Lease, sent),
			}
			s.saw(slot, c.clock.now())
			c.log.Info("registered", zap.String("consumer", s.name), zap.Stringer("pace", c.pace()))
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.trouble.met("register", err)
		if err := c.clock.sleep(ctx, wait.next()); err != nil {
			return nil, err
		}
	}
}

// run works until ctx ends and everything taken is settled or handed back, or
// until the name is gone: then the error is ErrGone.
func (s *session) run(ctx context.Context) error {
	defer s.fence.stop()
	rec := newRecovery(s)
	group, loops := errgroup.WithContext(s.work)
	taking, stop := context.WithCancel(loops)
	defer stop()
	defer context.AfterFunc(ctx, stop)()

	group.Go(func() error { return (&heartbeat{session: s, recovery: rec}).Run(loops) })
	group.Go(func() error { return rec.Run(loops) })
	group.Go(func() error {
		if err := (&dispatcher{session: s}).Run(taking); err != nil || loops.Err() != nil {
			return err
		}
		s.calls.Wait()
		s.leave()
		return errStopped
	})
	err := group.Wait()
	if isGone(err) {
		s.fence.trip(streamutil.ErrGone)
		return err
	}
	return nil
}

// leave takes the name back, so that nobody has to watch it die.
func (s *session) leave() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.work), time.Second)
	defer cancel()
	left, err := s.queue.Leave(ctx, s.name)
	switch {
	case err != nil:
		s.trouble.count(err)
	case left > 0:
		s.log.Warn("left with orders in flight; others take them back after a lease", zap.Int("orders", left))
	default:
		s.log.Info("left", zap.String("consumer", s.name))
	}
}

// saw takes note of a slot that was read at the given moment, by any loop.
func (s *session) saw(slot streamutil.Slot, at time.Duration) {
	s.blocked.set(bySlot, slot.Blocked)
	if slot.IntervalKnown {
		s.metrics.PaceInterval(slot.Interval)
	}
	if !s.pacer.observe(slot, at) {
		return
	}
	s.log.Warn("redis may have forgotten something: it restarted, failed over, or lost the queue's group; "+
		"nothing is sent until no forgotten call can be running",
		zap.Bool("open", slot.Open), zap.Duration("wait", streamutil.Grace+s.cfg.CallTimeout+time.Second))
	// What was taken may count as never taken now, and no new entry tells of it.
	s.bell.ring()
	select {
	case s.again <- struct{}{}:
	default:
	}
}

func isGone(err error) bool {
	return errors.Is(err, streamutil.ErrGone) && !testhook.NoFence.Load()
}
