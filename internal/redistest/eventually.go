package redistest

import (
	"testing"
	"time"
)

// eventuallyTimeout is generous: it is reached only by a test that fails.
const eventuallyTimeout = 10 * time.Second

// Eventually waits until cond holds, asking every few milliseconds, and ends
// the test if it does not within ten seconds. What says what was waited for.
func Eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	within(t, eventuallyTimeout, what, cond)
}

func within(t testing.TB, timeout time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(timeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", timeout, what)
		case <-tick.C:
		}
	}
}
