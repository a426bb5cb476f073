package consumer

import (
	"errors"
	"testing"
	"time"

	"orderq/streamutil"
)

func TestGate(t *testing.T) {
	const sent = 5 * time.Second
	for _, tc := range []struct {
		name    string
		at      time.Duration // when the gate is asked
		fenced  bool
		refused bool
	}{
		{"at once", sent, false, false},
		{"at the last moment", sent + streamutil.Grace, false, false},
		{"too late", sent + streamutil.Grace + 1, false, true},
		{"fenced", sent, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			hand := &handClock{at: sent}
			f := newFence(t.Context(), hand.clock(), time.Minute, 0)
			defer f.stop()
			g := newGate(hand.clock(), f, 0, sent)
			if tc.fenced {
				f.trip(streamutil.ErrGone)
			}
			hand.at = tc.at
			err := g.check()
			if errors.Is(err, errTooLate) != tc.refused || g.wasRefused() != tc.refused {
				t.Errorf("error %v, refused %t; want refused %t", err, g.wasRefused(), tc.refused)
			}
			if _, begun := g.passed(); begun {
				t.Error("a gate that was only asked is passed")
			}
		})
	}
}

func TestGatePassesOnce(t *testing.T) {
	hand := &handClock{at: time.Second}
	f := newFence(t.Context(), hand.clock(), time.Minute, 0)
	defer f.stop()
	g := newGate(hand.clock(), f, 0, time.Second)
	g.pass()
	<-g.started
	hand.at = 3 * time.Second
	g.pass() // a second write on the connection
	if at, begun := g.passed(); at != time.Second || !begun {
		t.Errorf("passed at %v, %t; want the first time, 1s", at, begun)
	}
	if g.check() == nil || g.wasRefused() {
		t.Error("a call that runs cannot be refused any more")
	}
}
