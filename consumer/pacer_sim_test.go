package consumer

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"orderq/streamutil"
)

// register is what take.lua and started.lua do with a slot.
type register struct {
	mu   sync.Mutex
	slot streamutil.Slot
}

func (r *register) view() streamutil.Slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.slot
}

func (r *register) take(number int64) (streamutil.Slot, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slot.Number != number {
		return r.slot, false
	}
	r.slot = granted(number + 1)
	return r.slot, true
}

func (r *register) started(number int64) streamutil.Slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slot.Number == number {
		r.slot.Started = true
	}
	return r.slot
}

// world is a few processes that share a register over a bad network, in the
// fake time of a bubble.
type world struct {
	clock  clock
	ctx    context.Context
	reg    register
	faults bool

	mu     sync.Mutex
	random *rand.Rand
	starts []time.Duration
	wg     sync.WaitGroup
}

// delay is mostly short, now and then long enough to spoil a slot, and none
// without faults.
func (w *world) delay() {
	w.mu.Lock()
	var d time.Duration
	if w.faults {
		d = time.Duration(w.random.Int64N(int64(5 * ms)))
		if w.random.IntN(8) == 0 {
			d = time.Duration(w.random.Int64N(int64(2*tick + 2*late)))
		}
	}
	w.mu.Unlock()
	_ = w.clock.sleep(w.ctx, d)
}

func (w *world) lost() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.faults && w.random.IntN(10) == 0
}

// process is the dispatcher with everything but the pace left out.
func (w *world) process() {
	p := &pacer{}
	p.observe(w.reg.view(), w.clock.now())
	for w.ctx.Err() == nil {
		w.delay() // a freeze
		t := p.turn()
		if w.clock.sleep(w.ctx, t.askAt-askAhead-w.clock.now()) != nil {
			return
		}
		sent := w.clock.now()
		w.delay() // the request on its way
		slot, ours := w.reg.take(t.slot)
		w.delay() // the reply on its way
		switch {
		case w.lost():
			w.reads(p)
		case !ours:
			p.observe(slot, w.clock.now())
		default:
			p.granted(slot)
			w.start(p, t, slot, sent)
		}
	}
}

// start begins the call unless it is too late, as the gate does.
func (w *world) start(p *pacer, t turn, slot streamutil.Slot, sent time.Duration) {
	_ = w.clock.sleep(w.ctx, t.askAt-w.clock.now())
	w.delay()
	if w.clock.now() > sent+late || w.ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	w.starts = append(w.starts, w.clock.now())
	w.mu.Unlock()
	if w.faults {
		_ = w.clock.sleep(w.ctx, ms) // the start is measured after it
	}
	p.start(slot, w.clock.now())
	w.wg.Go(func() {
		w.delay()
		if w.lost() {
			return
		}
		now := w.reg.started(slot.Number)
		w.delay()
		p.observe(now, w.clock.now())
	})
}

// reads is a heartbeat, its answer however old.
func (w *world) reads(p *pacer) {
	w.delay()
	slot := w.reg.view()
	w.delay()
	p.observe(slot, w.clock.now())
}

// run lets n processes live for a while and gives the starts in order.
func (w *world) run(t *testing.T, n int, until time.Duration) []time.Duration {
	ctx, cancel := context.WithTimeout(t.Context(), until)
	defer cancel()
	w.clock, w.ctx = bubbleClock(), ctx
	w.reg.slot = granted(0)
	for range n {
		w.wg.Go(w.process)
	}
	w.wg.Wait()
	slices.Sort(w.starts)
	return w.starts
}

// TestPacerSimulation: whatever the network and the scheduler do, no two starts
// are closer than the pace, and the slots go on.
func TestPacerSimulation(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			n := 1 + int(seed)%4
			w := &world{faults: true, random: rand.New(rand.NewPCG(seed, 1))}
			starts := w.run(t, n, 20*time.Second)
			for i := 1; i < len(starts); i++ {
				if gap := starts[i] - starts[i-1]; gap < tick {
					t.Fatalf("seed %d, %d processes: starts at %v and %v are %v apart, want at least %v",
						seed, n, starts[i-1], starts[i], gap, tick)
				}
			}
			if len(starts) < 20 {
				t.Fatalf("seed %d, %d processes: %d starts in 20 s", seed, n, len(starts))
			}
		})
	}
}

// TestPacerSimulationCalm: without faults a slot takes exactly the pace, and the
// others stand by.
func TestPacerSimulationCalm(t *testing.T) {
	for n := 1; n <= 4; n++ {
		synctest.Test(t, func(t *testing.T) {
			starts := (&world{}).run(t, n, 20*time.Second)
			if len(starts) < 190 {
				t.Fatalf("%d processes: %d starts in 20 s, want nearly 200", n, len(starts))
			}
			for i := 1; i < len(starts); i++ {
				if gap := starts[i] - starts[i-1]; gap != tick {
					t.Fatalf("%d processes: start %d came %v after the one before, want %v", n, i, gap, tick)
				}
			}
		})
	}
}
