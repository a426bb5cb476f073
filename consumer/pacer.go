package consumer

import (
	"sync"
	"time"

	"orderq/streamutil"
)

// pacer knows when this process may ask for the next slot. Slots are a
// compare-and-swap in Redis; how long ago the present one was used is judged
// here, on our own clock, so that no clock of Redis and no delay of the network
// can bring two starts closer together than the pace.
//
// Whoever used slot S started no later than Grace after sending its take. We
// read "S granted" after that, so an interval and Grace after reading it the
// next start is an interval away from the last; and after reading "S started"
// the interval alone is enough.
type pacer struct {
	changed chan struct{} // one token: the turn may be another one now

	mu      sync.Mutex
	slot    streamutil.Slot
	known   bool
	askAt   time.Duration // not before this moment may the slot after this one be used
	epochAt time.Duration // when this epoch was first read
}

func newPacer() *pacer { return &pacer{changed: make(chan struct{}, 1)} }

// turn is what a take names, and when what it is granted may start.
type turn struct {
	epoch    string
	slot     int64
	interval time.Duration
	askAt    time.Duration
	epochAt  time.Duration // when this epoch was first read
}

// Faster than 10/s, one take is for the slots of the next 100 ms; without a
// pace, for so many orders.
const (
	batchSpan      = 100 * time.Millisecond
	unlimitedBatch = 100
)

// batch is how many orders one take asks for.
func (t turn) batch() int {
	if t.interval <= 0 {
		return unlimitedBatch
	}
	return int(max(batchSpan/t.interval, 1))
}

// observe takes note of a slot that was read at the given moment, and reports
// whether it begins an epoch other than the one known.
func (p *pacer) observe(s streamutil.Slot, at time.Duration) (newEpoch bool) {
	if !s.IntervalKnown {
		return false // someone deleted the pace; the next take finds it again
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	another := !p.known || s.Epoch != p.slot.Epoch
	if !another && s.Number < p.slot.Number {
		return false // a late reply
	}
	if !another && s.Number == p.slot.Number {
		p.adapt(s, at)
	}
	switch {
	case another || s.Number > p.slot.Number:
		p.askAt = at + free(s)
	case s.Started && !p.slot.Started:
		p.askAt = min(p.askAt, at+s.Interval)
	case !s.Started && p.slot.Started:
		s.Started = true // a late reply, of before it was started
	}
	newEpoch = another && p.known
	if another {
		p.epochAt = at
	}
	p.slot, p.known = s, true
	select {
	case p.changed <- struct{}{}:
	default:
	}
	return newEpoch
}

// adapt moves our turn when another pace was read for the slot we know: an
// operator set it, or the slowest consumer left.
func (p *pacer) adapt(s streamutil.Slot, at time.Duration) {
	if p.slot.Interval <= 0 || s.Interval <= 0 {
		p.askAt = at + free(s) // there was no pace, or there is none now
		return
	}
	p.askAt += s.Interval - p.slot.Interval
}

// free is how long after reading it a slot keeps everybody from the next one.
func free(s streamutil.Slot) time.Duration {
	if s.Interval <= 0 || s.Free {
		return 0 // unlimited; or it was until now, and whoever asks is told to wait
	}
	if s.Started {
		return s.Interval
	}
	return s.Wait
}

// granted takes note of a slot granted to us, used or not. Until we say when we
// started, the moment to ask stays what it was: a grant that is dropped without
// a start has used nothing of ours.
func (p *pacer) granted(s streamutil.Slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known && s.Epoch == p.slot.Epoch && s.Number >= p.slot.Number {
		p.slot = s
	}
}

// start takes note that our own call, by this grant, began at the given moment.
// Reading later that it was started does not move the next one.
func (p *pacer) start(s streamutil.Slot, at time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Epoch == p.slot.Epoch && s.Number == p.slot.Number {
		p.slot.Started = true
		p.askAt = at + p.slot.Interval // which may have changed since the grant
	}
}

func (p *pacer) turn() turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return turn{
		epoch: p.slot.Epoch, slot: p.slot.Number, interval: p.slot.Interval, askAt: p.askAt, epochAt: p.epochAt,
	}
}
