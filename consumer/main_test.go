package consumer

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orderq/internal/redistest"
)

// TestMain lets many tests wait side by side, and looks, when all have passed,
// for goroutines that one of them left behind.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "6"); err != nil { // given on the command line it wins
		panic(err)
	}
	code := redistest.Run(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// bubbleClock measures the fake time of a synctest bubble.
func bubbleClock() clock {
	base := time.Now()
	return clock{now: func() time.Duration { return time.Since(base) }}
}

// handClock stands still until a test moves it.
type handClock struct{ at time.Duration }

func (h *handClock) clock() clock { return clock{now: func() time.Duration { return h.at }} }
