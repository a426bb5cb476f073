package consumer

import (
	"errors"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"orderq/streamutil"
)

// TestReach: one line when the partner takes no orders, with the cause, and one
// when it does again; a single order that fails is none of it.
func TestReach(t *testing.T) {
	core, lines := observer.New(zapcore.InfoLevel)
	r := &reach{log: zap.New(core), clock: systemClock()}
	away := Result{Outcome: streamutil.OutcomeUnavailable, Err: errors.New("not sent: connect: refused")}
	see := func(results ...Result) []string {
		for _, res := range results {
			r.saw(res)
		}
		var said []string
		for _, line := range lines.TakeAll() {
			said = append(said, line.Level.String()+" "+line.Message)
		}
		return said
	}
	rejected := Result{Outcome: streamutil.OutcomeRejected, Status: 422}
	for i, tc := range []struct {
		results []Result
		want    int
	}{
		{[]Result{delivered(), away, away, delivered(), away, away, rejected}, 0},
		{[]Result{away, away, away, away, away}, 1},
		{[]Result{delivered(), delivered()}, 1},
		{[]Result{away, {Outcome: streamutil.OutcomeFailed, Status: 500}, {Outcome: streamutil.OutcomeUncertain}}, 1},
	} {
		if said := see(tc.results...); len(said) != tc.want {
			t.Errorf("step %d: said %q, want %d lines", i, said, tc.want)
		}
	}
}
