package consumer

import (
	"time"

	"golang.org/x/sys/unix"
)

// systemClock reads CLOCK_BOOTTIME, which counts through a suspend of the host:
// Go's own monotonic time stands still then, and a consumer would think itself
// alive that others have long held dead.
func systemClock() clock {
	return clock{spin: spin, now: func() time.Duration {
		var ts unix.Timespec
		if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
			return time.Since(started) // no Linux that Go runs on lacks it
		}
		return time.Duration(ts.Nano())
	}}
}

var started = time.Now()
