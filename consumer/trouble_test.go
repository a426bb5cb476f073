package consumer

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"orderq/metrics"
)

// TestTrouble: several loops meet the same trouble, at different times; it is
// told once, and its end when the last of them is through.
func TestTrouble(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	hand := &handClock{at: time.Hour}
	tr := &trouble{log: zap.New(core), redis: metrics.NewRedis(nil), clock: hand.clock(), in: map[string]bool{}, blocked: &blockage{metrics: metrics.NewConsumer(nil, "q"), by: map[string]string{}}}
	away := errors.New("away")
	for _, step := range []struct {
		do   func(string)
		loop string
		said []string
	}{
		{tr.over, "beat", nil},
		{func(l string) { tr.met(l, away) }, "beat", []string{"redis gives trouble; trying again until it answers"}},
		{func(l string) { tr.met(l, away) }, "beat", nil},
		{func(l string) { tr.met(l, away) }, "take", nil},
		{tr.over, "settle", nil},
		{tr.over, "beat", nil},
		{func(l string) { tr.met(l, away) }, "take", nil},
		{tr.over, "take", []string{"redis answers again"}},
		{tr.over, "take", nil},
		{func(l string) { tr.met(l, away) }, "take", []string{"redis gives trouble; trying again until it answers"}},
	} {
		hand.at += time.Second
		step.do(step.loop)
		var said []string
		for _, e := range logs.TakeAll() {
			said = append(said, e.Message)
			if after, ok := e.ContextMap()["after"]; ok && after != 6*time.Second {
				t.Errorf("over after %v, want 6s", after)
			}
		}
		if diff := cmp.Diff(step.said, said); diff != "" {
			t.Errorf("after %v, %s (-want +got):\n%s", hand.at-time.Hour, step.loop, diff)
		}
	}
}
