package partner

import "golang.org/x/sys/unix"

// Now reads the host's monotonic clock (CLOCK_MONOTONIC) in nanoseconds. All
// processes of one machine read the same clock, so a sender's stamp and an
// arrival can be compared.
func Now() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("partner: no monotonic clock: " + err.Error()) // not on any system we build for
	}
	return ts.Nano()
}
