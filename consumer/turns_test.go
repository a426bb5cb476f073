package consumer

import (
	"context"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// hanging is a sender that never has a call ready.
type hanging struct {
	senderFunc
	hang chan struct{}
}

func (h hanging) prepare(context.Context, int) { <-h.hang }

// TestStuck: a loop that hangs is named; whoever waits is not stuck.
func TestStuck(t *testing.T) {
	t.Parallel()
	const after = 1700 * ms
	instant := senderFunc(func(context.Context, streamutil.Order) Result { return delivered() })
	slow := func(cfg *Config) {
		hourly := streamutil.Every(time.Hour)
		cfg.Pace, cfg.CallTimeout = &hourly, 100*ms
	}
	t.Run("hangs", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.enqueue(0, 1)
		h := hanging{instant, make(chan struct{})}
		run := r.run(h, func(cfg *Config) { cfg.CallTimeout = 100 * ms })
		redistest.Eventually(t, "the dispatcher is missed", func() bool { return run.Stuck(after) == "dispatcher" })
		close(h.hang)
		redistest.Eventually(t, "it is back", func() bool { return run.Stuck(after) == "" })
	})
	for name, given := range map[string]func(*testing.T) *running{
		"nothing to do": func(t *testing.T) *running { return newRig(t).run(instant, slow) },
		"waits for its turn": func(t *testing.T) *running {
			r := newRig(t)
			r.enqueue(0, 2)
			return r.run(instant, slow)
		},
		"paused": func(t *testing.T) *running {
			r := newRig(t)
			r.enqueue(0, 2)
			if _, err := r.srv.Do("HSET", r.key("control"), "paused", "paused"); err != nil {
				t.Fatal(err)
			}
			return r.run(instant, func(cfg *Config) { cfg.CallTimeout = 100 * ms })
		},
		"Redis hangs": func(t *testing.T) *running {
			r := newRigOn(t, redistest.Start(t))
			r.enqueue(0, 2)
			run := r.run(instant, slow)
			redistest.Eventually(t, "it runs", func() bool { return r.inspect().Alive() == 1 })
			r.srv.Stop()
			t.Cleanup(r.srv.Continue)
			return run
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := given(t)
			for began := run.clock.now(); run.clock.now()-began < 3*after; {
				if loop := run.Stuck(after); loop != "" {
					t.Fatalf("the %s counts as stuck", loop)
				}
				_ = run.clock.sleep(t.Context(), 50*ms) // between two looks
			}
		})
	}
}
