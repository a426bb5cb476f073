package streamutil

import "time"

// Place is where a waiting order stands.
type Place struct {
	// Position is 1 for the next order to be taken; 0 means it is not waiting.
	// Cancelled orders ahead may still count.
	Position int64
	// Known is whether there is an estimate: the pace must be known.
	Known bool
	// Wait is about how long until the call starts.
	Wait time.Duration
	// At is that moment by Redis's wall clock.
	At time.Time
}

// outlook is what the places of waiting orders depend on at one moment. The zero
// value knows of no places.
type outlook struct {
	known          bool
	taken, due     int64         // up to which number the queue was taken; how many are due before
	interval, hold time.Duration // interval below 0: not known
	now            time.Time     // Redis's wall clock
}

// outlook reads the array that a script gives for it; an empty one is the zero
// value.
func (r *reply) outlook() outlook {
	o := r.nested()
	if len(o.values) == 0 {
		r.fail(o.err)
		return outlook{}
	}
	view := outlook{
		known: true, taken: o.int(), due: o.int(), interval: o.micros(), hold: o.millis(), now: time.UnixMilli(o.int()),
	}
	r.fail(o.err)
	return view
}

// place gives the place of the waiting order with this number.
func (o outlook) place(number int64) Place {
	if !o.known {
		return Place{}
	}
	p := Place{Position: max(number-o.taken, 1) + o.due}
	if o.interval >= 0 {
		p.Known = true
		p.Wait = o.hold + time.Duration(p.Position-1)*o.interval
		p.At = o.now.Add(p.Wait)
	}
	return p
}
