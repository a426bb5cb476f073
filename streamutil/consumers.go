package streamutil

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// MaxDeaths is after how many consumers that died with it an order is set aside
// as poison.
const MaxDeaths = 3

// Identity is how a consumer makes itself known.
type Identity struct {
	// Name is new for every start, such as host-pid-random.
	Name string
	Host string
	PID  int
	// Version is the program's.
	Version string
	// Pace is the one configured here; the queue runs at the slowest one.
	Pace Pace
	// Lease is how long its beat must stand still before others hold it dead.
	Lease time.Duration
}

// Beat is one consumer's sign of life.
type Beat struct {
	Name string
	// Count rises while the consumer lives. It is -1 for a name that holds
	// entries and is not registered.
	Count int64
	// Lease is what that consumer was configured with.
	Lease time.Duration
}

// Pulse is a heartbeat's answer.
type Pulse struct {
	Slot Slot
	// Due is how many parked entries may be taken now.
	Due int64
	// Beats are everybody's, one's own too.
	Beats []Beat
}

// Register makes a consumer's name known; nothing else does. It begins a new
// epoch if Redis may have forgotten something. Safe to repeat.
func (q *Queue) Register(ctx context.Context, id Identity) (Slot, error) {
	identity, err := json.Marshal(map[string]any{
		"host": id.Host, "pid": id.PID, "version": id.Version,
		"pace": id.Pace.Interval().Microseconds(), "lease": id.Lease.Microseconds(),
	})
	if err != nil {
		return Slot{}, fmt.Errorf("register: encode identity: %w", err)
	}
	r, err := q.run(ctx, registerScript, false, q.args(id.Name, string(identity))...)
	if err != nil {
		return Slot{}, err
	}
	r.text()
	s := r.slot()
	return s, r.done()
}

// Heartbeat moves a consumer's counter to beat, its own rising number, and
// tells the present slot and everybody's counters. trouble is what keeps the
// consumer from its work although it can beat, in a word, for those who look;
// empty while nothing does. Safe to repeat.
//
// Errors: [ErrGone], [ErrUnavailable].
func (q *Queue) Heartbeat(ctx context.Context, name string, beat int64, pace Pace, trouble string) (Pulse, error) {
	r, err := q.run(ctx, heartbeatScript, false, q.args(name, itoa(beat), itoa(pace.Interval().Microseconds()), trouble)...)
	if err != nil {
		return Pulse{}, err
	}
	if r.text() == "gone" {
		return Pulse{}, ErrGone
	}
	p := Pulse{Slot: r.slot(), Due: r.int()}
	for _, b := range r.list() {
		p.Beats = append(p.Beats, Beat{Name: b.text(), Count: b.int(), Lease: b.micros()})
		r.fail(b.err)
	}
	return p, r.done()
}

// Open lets an epoch begin. Its caller must have watched that epoch closed, on
// its own clock, for longer than any call of the epoch before can last.
// Safe to repeat.
func (q *Queue) Open(ctx context.Context, epoch string) (Slot, error) {
	r, err := q.run(ctx, openScript, false, q.args(epoch)...)
	if err != nil {
		return Slot{}, err
	}
	r.text()
	s := r.slot()
	return s, r.done()
}

// Reclaimed is what a reclaim did.
type Reclaimed struct {
	// Alive is true if the beat had moved: nothing was done.
	Alive bool
	// Due and Dead count the entries made due, and those set aside: as poison,
	// or as the policy has it.
	Due, Dead int
}

// Reclaim makes due what a dead consumer had in flight and forgets its name,
// if its beat still stands at count. Its caller must have watched the beat
// stand still for a lease on its own clock, without a gap. What was in flight
// may have been sent: it is uncertain, and due after the policy's Quiet, which
// is here what is left of it. Safe to repeat.
func (q *Queue) Reclaim(ctx context.Context, name string, count int64, p Policy) (Reclaimed, error) {
	p = p.withDefaults()
	r, err := q.run(ctx, reclaimScript, false, q.args(name, itoa(count), itoa(MaxDeaths),
		itoa(int64(p.MaxStrikes)), p.uncertain(), ms(p.Quiet))...)
	if err != nil {
		return Reclaimed{}, err
	}
	if r.text() == "alive" {
		return Reclaimed{Alive: true}, nil
	}
	done := Reclaimed{Due: int(r.int()), Dead: int(r.int())}
	return done, r.done()
}

// Leave forgets a consumer that stops. It returns how many entries are still
// pending under the name; those become due after others have watched the name
// for a lease. Safe to repeat.
func (q *Queue) Leave(ctx context.Context, name string) (int, error) {
	r, err := q.run(ctx, leaveScript, false, q.args(name)...)
	if err != nil {
		return 0, err
	}
	r.text()
	left := r.int()
	return int(left), r.done()
}

// sweepPage is how many entries one sweep script looks at.
const sweepPage = 50

// Sweep finds again what was read and is with nobody, because someone
// acknowledged it or deleted its consumer by hand: it becomes due, or goes back
// to the consumer that is sending it. It returns how many it found. Its cost
// grows with what is pending, not with the backlog. Safe to repeat.
//
// Errors: [ErrUnavailable].
func (q *Queue) Sweep(ctx context.Context) (int, error) {
	found := 0
	for from := (EntryID{}); ; {
		r, err := q.run(ctx, sweepScript, false, q.args(from.String(), itoa(sweepPage))...)
		if err != nil {
			return found, err
		}
		r.text()
		found += int(r.int())
		from = r.entry()
		if err := r.done(); err != nil || from.IsZero() {
			return found, err
		}
	}
}
