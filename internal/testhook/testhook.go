// Package testhook holds the switches that only tests throw: one that makes the
// senders say when they started, and one that breaks what keeps two consumers
// apart, so that a test can show that it would notice.
//
// The program sets them from ORDERQ_TEST_… at its start and never changes them.
package testhook

import "sync/atomic"

var (
	// Stamp adds to every call the header [StampHeader].
	Stamp atomic.Bool
	// NoFence makes a consumer ignore its own fence, the lateness of its starts
	// and its being gone, hold others dead after a fiftieth of their lease, and
	// take what they had for due at once.
	NoFence atomic.Bool
)

// StampHeader carries the moment, in nanoseconds of this host's monotonic
// clock, just before a call's first byte went out.
const StampHeader = "X-Orderq-Test-Start"

// Load reads the switches from the environment's ORDERQ_TEST_STAMP and
// ORDERQ_TEST_NO_FENCE: anything but empty is on.
func Load(getenv func(string) string) {
	Stamp.Store(getenv("ORDERQ_TEST_STAMP") != "")
	NoFence.Store(getenv("ORDERQ_TEST_NO_FENCE") != "")
}
