package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// redisGrace is how long READY waits for Redis: units that start after this
// one then find a queue that works, in the usual case.
const redisGrace = 2 * time.Second

// notify tells systemd, if it listens, that the service is ready, that it
// lives and, when ctx ends, that it stops. It goes on until beside ends, since
// a watchdog does not stop for a drain.
func (s *service) notify(ctx, beside context.Context) error {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("the watchdog's settings make no sense; it is not served", zap.Error(err))
	}
	s.awaitReady(ctx)
	alive := tick(every / 2)
	defer alive.Stop()
	stopping := ctx.Done()
	for {
		select {
		case <-alive.C:
			s.tell(daemon.SdNotifyWatchdog)
		case <-stopping:
			s.tell(daemon.SdNotifyStopping)
			stopping = nil
		case <-beside.Done():
			return nil
		}
	}
}

func (s *service) awaitReady(ctx context.Context) {
	status := "STATUS=waiting for " + s.queue.Redis()
	t := time.NewTimer(redisGrace)
	defer t.Stop()
	select {
	case <-s.redisSeen:
		status = "STATUS=running on " + s.queue.Redis()
	case <-t.C:
	case <-ctx.Done():
		return
	}
	s.tell(daemon.SdNotifyReady + "\n" + status)
}

// tell sends a message; without systemd it goes nowhere.
func (s *service) tell(message string) {
	if _, err := daemon.SdNotify(false, message); err != nil {
		s.log.Warn("systemd was not told", zap.Error(err))
	}
}

// tick is a ticker that never ticks where there is no interval.
func tick(every time.Duration) *time.Ticker {
	if every > 0 {
		return time.NewTicker(every)
	}
	t := time.NewTicker(time.Hour)
	t.Stop()
	return t
}
