package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"
)

// hints are the signals that ask a service for something other than its end.
// Each has a channel with one place: one that waits stands for all that come
// after it. Without them SIGHUP would end the process.
type hints struct {
	hangup chan os.Signal // SIGHUP, which by custom asks to read everything again
	rotate chan os.Signal // SIGUSR2, for the log file alone
}

// heed catches the signals from now on.
func heed() hints {
	h := hints{hangup: make(chan os.Signal, 1), rotate: make(chan os.Signal, 1)}
	signal.Notify(h.hangup, syscall.SIGHUP)
	signal.Notify(h.rotate, syscall.SIGUSR2)
	return h
}

// run does what the signals ask for until ctx ends. They stay caught after
// that: an end must not be cut short by a rotation.
func (h hints) run(ctx context.Context, reload, reopen func()) error {
	for {
		select {
		case <-h.hangup:
			reload()
		case <-h.rotate:
			reopen()
		case <-ctx.Done():
			return nil
		}
	}
}

// reopen goes on in a new log file, if there is one at all. The line that says
// so, or why not, is in the file that is in use from then on.
func (l *logging) reopen() {
	if l.file == nil {
		return
	}
	if err := l.file.reopen(); err != nil {
		l.Warn("the log file cannot be opened anew; the one that was open stays in use",
			zap.String("file", l.file.path), zap.String("reason", reason(err)))
		return
	}
	l.Info("log file opened anew", zap.String("file", l.file.path))
}
