package consumer

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

// reading is what a heartbeat told, and how long after the one before.
type reading struct {
	after time.Duration
	beats []streamutil.Beat
}

// TestWatch feeds a watch whose own lease is 1 s.
func TestWatch(t *testing.T) {
	beat := func(name string, count int64, lease time.Duration) streamutil.Beat {
		return streamutil.Beat{Name: name, Count: count, Lease: lease}
	}
	every300 := func(n int, beats ...streamutil.Beat) []reading {
		all := make([]reading, n)
		for i := range all {
			all[i] = reading{300 * ms, beats}
		}
		return all
	}
	still := beat("b", 5, time.Second)
	afterGap := []reading{{400 * ms, []streamutil.Beat{still}}}
	join := slices.Concat[[]reading]
	for _, tc := range []struct {
		name     string
		readings []reading
		dead     []string // as of the last reading
	}{
		{"still for a lease", every300(5, still), []string{"b"}},
		{"still for less", every300(4, still), nil},
		{"it moved", join(every300(1, beat("b", 4, time.Second)), every300(4, still)), nil},
		{"it stands still after it moved", join(every300(3, beat("b", 4, time.Second)), every300(5, still)), []string{"b"}},
		{"it moved back: that is a move, too", join(every300(1, beat("b", 6, time.Second)), every300(4, still)), nil},
		{"never oneself", every300(9, beat("me", 1, time.Second)), nil},
		{"a name that is not registered", every300(5, beat("b", -1, 0)), []string{"b"}},
		{"it registers", join(every300(3, beat("b", -1, 0)), every300(2, beat("b", 0, time.Second))), nil},
		{"the other's lease is longer", every300(7, beat("b", 5, 2*time.Second)), nil},
		{"the other's longer lease is over", every300(8, beat("b", 5, 2*time.Second)), []string{"b"}},
		{"the other's lease is shorter", every300(4, beat("b", 5, 500*ms)), nil},
		{"a gap begins anew", join(every300(4, still), afterGap, every300(3, still)), nil},
		{"a lease after a gap", join(every300(4, still), afterGap, every300(4, still)), []string{"b"}},
		{"away for one reading", join(every300(2, still), every300(1), every300(4, still)), nil},
		{"one of two", every300(5, still, beat("me", 7, time.Second)), []string{"b"}},
		{"two of two", every300(5, still, beat("c", 7, time.Second)), []string{"b", "c"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := watch{self: "me", lease: time.Second}
			at := 100 * time.Hour // of a host that has been up for long
			var dead []string
			for _, r := range tc.readings {
				at += r.after
				dead = nil
				for _, b := range w.observe(r.beats, at) {
					dead = append(dead, b.Name)
				}
			}
			if diff := cmp.Diff(tc.dead, dead); diff != "" {
				t.Errorf("dead (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWatchAfterError: what we did not see may have moved, so the watch counts
// from zero.
func TestWatchAfterError(t *testing.T) {
	r := newRecovery(&session{Consumer: &Consumer{cfg: Config{Lease: time.Second}}, name: "me"})
	beats := []streamutil.Beat{{Name: "b", Count: 5, Lease: time.Second}}
	for at := time.Hour; at < time.Hour+3*time.Second; at += 300 * ms {
		if at == time.Hour+900*ms {
			r.lost()
		}
		r.observe(beats, at)
		if got, want := len(r.dead) > 0, at >= time.Hour+1900*ms; got != want {
			t.Fatalf("after %v: dead %t, want %t", at-time.Hour, got, want)
		}
	}
}

// TestQuiet: what the partner may still need for a dead consumer's call is what a
// call may take, less what has passed for certain.
func TestQuiet(t *testing.T) {
	for _, c := range []struct{ timeout, lease, dead, want time.Duration }{
		{10 * time.Second, 15 * time.Second, 15 * time.Second, 5 * time.Second},
		{10 * time.Second, 15 * time.Second, 30 * time.Second, 0},
		{10 * time.Second, 30 * time.Second, 15 * time.Second, 0},
		{time.Second, 3 * time.Second, 0, 0},
		{time.Second, 1500 * ms, 1500 * ms, 500 * ms},
	} {
		cfg := Config{CallTimeout: c.timeout, Lease: c.lease}
		r := &recovery{session: &session{Consumer: &Consumer{cfg: cfg}}}
		if got := r.quiet(streamutil.Beat{Lease: c.dead}); got != c.want {
			t.Errorf("timeout %v, lease %v, the dead one's %v: %v, want %v", c.timeout, c.lease, c.dead, got, c.want)
		}
	}
}
