package consumer

import (
	"testing"
	"time"

	"orderq/streamutil"
)

const (
	ms   = time.Millisecond
	tick = 100 * ms // the pace of these tests: T
	late = streamutil.Grace
)

func granted(n int64) streamutil.Slot {
	return streamutil.Slot{Epoch: "a", Number: n, Wait: tick + late, Open: true, Interval: tick, IntervalKnown: true}
}

func startedSlot(n int64) streamutil.Slot {
	s := granted(n)
	s.Started = true
	return s
}

func with(s streamutil.Slot, change func(*streamutil.Slot)) streamutil.Slot {
	change(&s)
	return s
}

// TestPacer goes through the rules of when a process may ask for the slot after
// the one it knows.
func TestPacer(t *testing.T) {
	read := func(s streamutil.Slot, at time.Duration) func(*pacer) {
		return func(p *pacer) { p.observe(s, at) }
	}
	given := func(s streamutil.Slot) func(*pacer) { return func(p *pacer) { p.granted(s) } }
	start := func(s streamutil.Slot, at time.Duration) func(*pacer) {
		return func(p *pacer) { p.start(s, at) }
	}
	fast := func(s *streamutil.Slot) { s.Interval = tick / 10 }
	slow := func(s *streamutil.Slot) { s.Interval = 10 * tick }
	unlimited := func(s *streamutil.Slot) { s.Interval = 0 }
	batch := func(s *streamutil.Slot) { s.Wait = 5*tick + late }
	unknown := func(s *streamutil.Slot) { s.IntervalKnown = false }
	another := func(s *streamutil.Slot) { s.Epoch = "b" }

	for _, tc := range []struct {
		name string
		do   []func(*pacer)
		slot int64
		ask  time.Duration
	}{
		{"first read as started", []func(*pacer){read(startedSlot(7), 50*ms)}, 7, 50*ms + tick},
		{"first read as granted", []func(*pacer){read(granted(7), 50*ms)}, 7, 50*ms + tick + late},
		{"a batch first read as granted", []func(*pacer){read(with(granted(7), batch), 50*ms)}, 7, 50*ms + 5*tick + late},
		{"read again moves nothing", []func(*pacer){read(startedSlot(7), 50*ms), read(startedSlot(7), 90*ms)}, 7, 50*ms + tick},
		{"granted, soon started", []func(*pacer){read(granted(7), 50*ms), read(startedSlot(7), 60*ms)}, 7, 60*ms + tick},
		{"granted, late started", []func(*pacer){read(granted(7), 50*ms), read(startedSlot(7), 50*ms+2*late)}, 7, 50*ms + tick + late},
		{"a higher slot begins anew", []func(*pacer){read(startedSlot(7), 50*ms), read(granted(9), 70*ms)}, 9, 70*ms + tick + late},
		{"a lower slot is a late reply", []func(*pacer){read(granted(7), 50*ms), read(startedSlot(6), 60*ms)}, 7, 50*ms + tick + late},
		{
			"granted, read late, does not undo started",
			[]func(*pacer){read(startedSlot(7), 50*ms), read(granted(7), 60*ms), read(startedSlot(7), 90*ms)},
			7, 50*ms + tick,
		},
		{"another epoch begins anew, whatever its number", []func(*pacer){
			read(startedSlot(7), 50*ms), read(with(granted(0), another), 60*ms),
		}, 0, 60*ms + tick + late},
		{"an unknown pace is ignored", []func(*pacer){
			read(startedSlot(7), 50*ms), read(with(granted(8), unknown), 60*ms),
		}, 7, 50*ms + tick},
		{"unlimited asks at once", []func(*pacer){read(with(granted(7), unlimited), 50*ms)}, 7, 50 * ms},

		{"own start", []func(*pacer){
			read(startedSlot(7), 50*ms), given(granted(8)), start(granted(8), 160*ms),
		}, 8, 160*ms + tick},
		{"own start, not moved by reading it", []func(*pacer){
			read(startedSlot(7), 50*ms), given(granted(8)), start(granted(8), 160*ms), read(startedSlot(8), 170*ms),
		}, 8, 160*ms + tick},
		{"own start, not moved by an old view of it", []func(*pacer){
			read(startedSlot(7), 50*ms), given(granted(8)), start(granted(8), 160*ms), read(granted(8), 170*ms),
		}, 8, 160*ms + tick},
		{"own grant dropped keeps the old time", []func(*pacer){
			read(startedSlot(7), 50*ms), given(granted(8)),
		}, 8, 50*ms + tick},
		{"own grant read elsewhere before its reply", []func(*pacer){
			read(startedSlot(7), 50*ms), read(granted(8), 152*ms), given(granted(8)), start(granted(8), 160*ms),
		}, 8, 160*ms + tick},
		{"own start, told when another slot is known already", []func(*pacer){
			read(startedSlot(7), 50*ms), given(granted(8)), read(granted(9), 400*ms), start(granted(8), 160*ms),
		}, 9, 400*ms + tick + late},
		{"own grant of an epoch that is over", []func(*pacer){
			read(startedSlot(7), 50*ms), read(with(granted(0), another), 60*ms), given(granted(8)), start(granted(8), 160*ms),
		}, 0, 60*ms + tick + late},

		{"a faster pace counts at once", []func(*pacer){
			read(startedSlot(7), 50*ms), read(with(startedSlot(7), fast), 60*ms),
		}, 7, 50*ms + tick/10},
		{"a slower pace counts at once", []func(*pacer){
			read(startedSlot(7), 50*ms), read(with(startedSlot(7), slow), 60*ms),
		}, 7, 50*ms + 10*tick},
		{"a faster pace, after a grant nobody started", []func(*pacer){
			read(granted(7), 50*ms), read(with(granted(7), fast), 60*ms),
		}, 7, 50*ms + tick/10 + late},
		{"a faster pace, read before one's own start", []func(*pacer){
			read(startedSlot(7), 50*ms), given(granted(8)), read(with(granted(8), fast), 155*ms), start(granted(8), 160*ms),
		}, 8, 160*ms + tick/10},
		{"a pace after none: calls may have begun just now", []func(*pacer){
			read(with(granted(7), unlimited), 50*ms), read(granted(7), 900*ms),
		}, 7, 900*ms + tick + late},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &pacer{}
			for _, do := range tc.do {
				do(p)
			}
			if got := p.turn(); got.slot != tc.slot || got.askAt != tc.ask {
				t.Errorf("slot %d, ask at %v; want slot %d, ask at %v", got.slot, got.askAt, tc.slot, tc.ask)
			}
		})
	}
}

func TestPacerTellsEpochs(t *testing.T) {
	p := &pacer{}
	b := with(granted(0), func(s *streamutil.Slot) { s.Epoch, s.Open = "b", false })
	for _, step := range []struct {
		name string
		slot streamutil.Slot
		at   time.Duration
		news bool
		from time.Duration
	}{
		{"the first one is no news", granted(3), 10 * ms, false, 10 * ms},
		{"the same one", startedSlot(3), 20 * ms, false, 10 * ms},
		{"another one", b, 30 * ms, true, 30 * ms},
		{"it opens", with(b, func(s *streamutil.Slot) { s.Open = true }), 40 * ms, false, 30 * ms},
	} {
		if news := p.observe(step.slot, step.at); news != step.news {
			t.Errorf("%s: news %t, want %t", step.name, news, step.news)
		}
		if got := p.turn(); got.epochAt != step.from || got.epoch != step.slot.Epoch {
			t.Errorf("%s: epoch %s since %v; want %s since %v", step.name, got.epoch, got.epochAt, step.slot.Epoch, step.from)
		}
	}
}
