package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// redisGrace is how long READY waits for Redis: units that start after this
// one then find a queue that works, in the usual case.
const redisGrace = 2 * time.Second

// notify tells systemd, if it listens, that the service is ready, that it
// lives and, when ctx ends, that it stops. It goes on until beside ends, since
// a watchdog does not stop for a drain. Of a service whose work is stuck it does
// not say that it lives: systemd then ends it, and starts another.
func (s *service) notify(ctx, beside context.Context) error {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("the watchdog's settings make no sense; it is not served", zap.Error(err))
	}
	s.awaitReady(ctx)
	alive, standing := tick(every/2), tick(statusInterval())
	defer alive.Stop()
	defer standing.Stop()
	stopping := ctx.Done()
	for {
		select {
		case <-alive.C:
			if part := s.stuck(every / 2); part != "" {
				s.log.Error("a part of this process is stuck; systemd will end it unless it comes round", zap.String("part", part))
				continue
			}
			s.tell(daemon.SdNotifyWatchdog)
		case <-standing.C:
			if stopping != nil {
				s.tell(s.standing())
			}
		case <-stopping:
			// The unit's own limit does not know the configuration's.
			s.tell(fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d", daemon.SdNotifyStopping, s.stopsWithin.Microseconds()))
			stopping = nil
		case <-beside.Done():
			return nil
		}
	}
}

// statusInterval is how often systemctl status gets a new line; 0 where nobody listens.
func statusInterval() time.Duration {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return 0
	}
	return 10 * time.Second
}

// standing is how the queue is doing, for systemctl status.
func (s *service) standing() string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	q, err := s.queue.Inspect(ctx)
	if err != nil {
		return "STATUS=waiting for " + s.queue.Redis() + ": " + cause(err) + s.oldSettings()
	}
	text := fmt.Sprintf("STATUS=queue %s is %s: %d unfinished, %d dead, %d consumers", s.queue.Name(), q.State, q.Length, q.Dead, q.Alive())
	if q.Length > 0 {
		text += ", oldest " + q.Oldest.Truncate(time.Second).String()
	}
	if q.Reason != "" {
		text += "; " + oneLine(q.Reason)
	}
	return text + s.oldSettings()
}

// oldSettings is what the status says after a reload that changed nothing.
func (s *service) oldSettings() string {
	if !s.reloadFault.Load() {
		return ""
	}
	return "; with the old settings, for the new configuration has faults: see the log"
}

// causeMost bounds what is said of an error where there is one line for all.
const causeMost = 200

// cause is an error on one line.
func cause(err error) string {
	text := oneLine(err.Error())
	return text[:min(len(text), causeMost)]
}

// tellReloading begins a reload. With the moment in the same message newer
// systemds (Type=notify-reload) know whether it is this reload that ends.
func (s *service) tellReloading() {
	s.tell(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

func (s *service) tellReady(status string) { s.tell(daemon.SdNotifyReady + "\n" + status) }

func (s *service) awaitReady(ctx context.Context) {
	t := time.NewTimer(redisGrace)
	defer t.Stop()
	status := "STATUS=running on " + s.queue.Redis()
	select {
	case <-s.redisSeen:
	case <-t.C:
		status = "STATUS=waiting for " + s.queue.Redis()
		if fault := s.redisFault.Load(); fault != nil {
			status += ": " + *fault
		}
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
