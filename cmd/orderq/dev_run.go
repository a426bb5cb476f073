package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"orderq/streamutil"
)

// errDrained ends the run when there is nothing left to do.
var errDrained = errors.New("every order is finished")

// run takes and sends orders until ctx ends, something fails or, if that was
// asked for, every order is finished. Then it prints the last line.
func (s *devStack) run(ctx context.Context) error {
	before, err := s.queue.Inspect(ctx)
	if err != nil {
		return err
	}
	if err := s.refuseCompany(before); err != nil {
		return err
	}
	s.introduce()
	defer context.AfterFunc(ctx, func() { s.report.say("ending; Ctrl-C once more does so at once") })()
	if before.Length > 0 {
		s.report.say("%d orders are left from the last run; they go first", before.Length)
	}
	orders, err := sampleOrders(s.options.orders, newRunName())
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.consumer.Run(ctx) })
	g.Go(func() error { return s.takeOrders(ctx, door{Listener: s.listener}, s.producer) })
	g.Go(func() error { return s.admin.run(ctx) })
	g.Go(func() error { return s.log.flood.run(ctx) })
	g.Go(func() error { return s.watchRedis(ctx) })
	g.Go(func() error {
		if err := submitAll(ctx, s.ordersURL(), orders); err != nil {
			return ignoreEnd(ctx, err)
		}
		return s.watchQueue(ctx)
	})
	err = g.Wait()
	sum := s.sumUp(before.Totals)
	if err == nil || errors.Is(err, errDrained) {
		return sum
	}
	return err
}

// refuseCompany keeps us from a queue that is at work already: its orders would
// go to a partner that is simulated. Only a Redis that we did not start can
// have one.
func (s *devStack) refuseCompany(now streamutil.Snapshot) error {
	if s.redis.gone != nil {
		return nil
	}
	host, _ := os.Hostname()
	for _, c := range now.Consumers {
		left := c.Host == host && errors.Is(syscall.Kill(c.PID, 0), syscall.ESRCH)
		if c.Alive && !left {
			return fmt.Errorf("queue %s on %s is in use by the consumer %s; choose another with --queue NAME",
				s.queue.Name(), s.queue.Redis(), c.Name)
		}
	}
	return nil
}

// sumUp prints the last line. The context of the run has ended.
func (s *devStack) sumUp(before streamutil.Totals) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	after, err := s.queue.Inspect(ctx)
	if err != nil {
		return fmt.Errorf("sum up: %w", err)
	}
	if after.Length > 0 {
		s.report.say("%d orders are not finished", after.Length)
	}
	s.report.total(before, after.Totals)
	return nil
}

// watchRedis ends the run when our redis-server does.
func (s *devStack) watchRedis(ctx context.Context) error {
	select {
	case <-s.redis.gone:
		return redisEnded(filepath.Join(redisDir(devDir), "redis.log"))
	case <-ctx.Done():
		return nil
	}
}

const (
	// lookEvery is how often the queue is looked at.
	lookEvery = 200 * time.Millisecond
	// sayAfter is for how many looks nothing must have moved, always for the
	// same reason, before it is said.
	sayAfter = 5
)

// watchQueue says why nothing moves, and ends the run when nothing is left, if
// that was asked for.
func (s *devStack) watchQueue(ctx context.Context) error {
	blocked, seen := "", 0
	for {
		now, err := s.queue.Inspect(ctx)
		switch {
		case err != nil:
			s.log.Debug("look at the queue", zap.Error(err))
		case s.options.exitWhenDrained && now.Length == 0:
			return errDrained
		case now.Blocked != blocked:
			blocked, seen = now.Blocked, 1
		default:
			seen++
		}
		if seen == sayAfter && blocked != "" {
			s.report.say("waiting: %s", now.Reason)
		}
		if sleep(ctx, lookEvery) != nil {
			return nil //nolint:nilerr // the end that was asked for
		}
	}
}

// ignoreEnd gives nil for an error that only says that ctx has ended.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // that is what it is for
	}
	return err
}
