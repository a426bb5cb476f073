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

// register is what take.lua, started.lua and pace.lua do with a slot.
type register struct {
	mu   sync.Mutex
	slot streamutil.Slot
}

// unlimit takes the pace away, and limit gives it back.
func (r *register) unlimit() { r.change(func(s *streamutil.Slot) { s.Interval = 0 }) }
func (r *register) limit()   { r.change(func(s *streamutil.Slot) { s.Interval = tick }) }

func (r *register) change(change func(*streamutil.Slot)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.slot)
}

func (r *register) view() streamutil.Slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.slot
}

// take grants m slots to whoever names the present one.
func (r *register) take(number int64, m int) (streamutil.Slot, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slot.Interval == 0 {
		r.slot.Started, r.slot.Free = false, true
		return r.slot, true
	}
	if r.slot.Free {
		r.slot = granted(r.slot.Number + 1)
		return r.slot, false
	}
	if r.slot.Number != number {
		return r.slot, false
	}
	r.slot = granted(number + 1)
	r.slot.Wait = time.Duration(m)*tick + late
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
	batch  int // the most slots a take is given

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
		m := w.size()
		slot, ours := w.reg.take(t.slot, m)
		w.delay() // the reply on its way
		switch {
		case w.lost():
			w.reads(p)
		case !ours:
			p.observe(slot, w.clock.now())
		default:
			p.granted(slot)
			w.start(p, t, slot, sent, m)
		}
	}
}

// size is how many orders there are for a take just now.
func (w *world) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.batch == 0 {
		return 1
	}
	return 1 + w.random.IntN(w.batch)
}

// start begins the calls of a grant, each unless it is too late, as the
// dispatcher and the gate do.
func (w *world) start(p *pacer, t turn, slot streamutil.Slot, sent time.Duration, m int) {
	if slot.Interval == 0 {
		w.begin(sent, 0)
		_ = w.clock.sleep(w.ctx, tick/4) // a call, before the next take
		return
	}
	at, last, begun := t.askAt, time.Duration(0), false
	for i := range m {
		_ = w.clock.sleep(w.ctx, at-w.clock.now())
		if !w.begin(sent, time.Duration(i)*slot.Interval) {
			break
		}
		if w.faults {
			_ = w.clock.sleep(w.ctx, ms) // the start is measured after it
		}
		last, begun = w.clock.now(), true
		at = last + slot.Interval
	}
	if !begun {
		return
	}
	p.start(slot, last)
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

// begin is the first byte, if it is not too late for it.
func (w *world) begin(sent, planned time.Duration) bool {
	w.delay()
	if w.clock.now() > sent+late+planned || w.ctx.Err() != nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts = append(w.starts, w.clock.now())
	return true
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
			w := &world{faults: true, random: rand.New(rand.NewPCG(seed, 1)), batch: int(seed) % 5}
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

// TestPacerSimulationAfterNone: the pace is taken away and given back while
// calls are under way. From a grace after that on, when all have read of it and
// whatever was granted before has begun, no two starts are closer than the pace.
func TestPacerSimulationAfterNone(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{faults: true, random: rand.New(rand.NewPCG(seed, 2)), batch: int(seed) % 3}
			var back []time.Duration // when the pace was given back
			var changes sync.WaitGroup
			clock := bubbleClock()
			changes.Go(func() {
				for i := range 4 {
					time.Sleep(time.Duration(2+i%2) * time.Second)
					w.reg.unlimit()
					time.Sleep(500 * ms)
					w.reg.limit()
					back = append(back, clock.now())
				}
			})
			starts := w.run(t, 1+int(seed)%4, 20*time.Second)
			changes.Wait()
			free := func(at time.Duration) bool {
				for _, b := range back {
					if at >= b-500*ms && at <= b+late { // granted before, and not too late yet
						return true
					}
				}
				return false
			}
			for i := 1; i < len(starts); i++ {
				if gap := starts[i] - starts[i-1]; gap < tick && !free(starts[i]) {
					t.Fatalf("seed %d: starts at %v and %v are %v apart; the pace was given back at %v",
						seed, starts[i-1], starts[i], gap, back)
				}
			}
		})
	}
}
