//go:build !linux

package consumer

import "time"

// systemClock reads Go's monotonic time; on this system there is no portable
// one that counts through a suspend.
func systemClock() clock {
	return clock{spin: spin, now: func() time.Duration { return time.Since(started) }}
}

var started = time.Now()
