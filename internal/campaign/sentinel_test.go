package campaign

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"orderq/internal/partner"
)

// TestSentinel kills the master under load, again and again, with writes that
// count only once replicas have them: nothing may be lost. Before some of the
// deaths replicas are cut off, so that what the master alone has dies with it.
func TestSentinel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	tests := []struct {
		durability string
		cuts       []int // how many replicas are cut off before each death, in turn
	}{
		{"replicas=2", []int{2, 0, 1}},
		// Only whole cuts: with one of the two cut off, the other alone has the
		// last writes, and Sentinel may promote either. It compares offsets that
		// it asked for before the master was dead.
		{"replicas=1", []int{0, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.durability, func(t *testing.T) {
			t.Parallel()
			s := newReplicatedSystem(t, tt.durability, "--min-replicas-to-write", "1")
			e, deaths := s.failovers(tt.cuts)
			r := Check(e)
			t.Log(r)
			doubles, explained := takenTwice(e.Calls, deaths)
			promotion, sending := slowest(e.Calls, deaths)
			report(t, "%s, master killed %d times: %d accepted, %d lost, %d overlaps, least gap %v; "+
				"another promoted after at most %v, sending again at most %v later; %d orders taken twice with the same key, %d of them because the first answer came while the master died",
				tt.durability, len(deaths), len(e.Accepted), r.Count(Lost), r.Count(Overlap),
				partner.Quantile(r.Partner.Gaps, 0), promotion, sending, doubles, explained)
			if len(r.Violations) > 0 {
				t.Errorf("%d promises broken", len(r.Violations))
			}
			if doubles != explained {
				t.Errorf("%d orders were taken twice without a death to explain it", doubles-explained)
			}
		})
	}
}

// TestSentinelMemory shows what durability memory leaves open: what a master
// accepted after its replicas were cut off is lost when it dies. The programs
// must have said so when they started, and what they promise beside it holds.
func TestSentinelMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	t.Parallel()
	s := newReplicatedSystem(t, "memory")
	e, deaths := s.failovers([]int{2})
	r := Check(e)
	report(t, "memory, replicas cut off %v before each of %d deaths: %d accepted, %d lost, %d overlaps, least gap %v, %d taken more than once",
		cutFor, len(deaths), len(e.Accepted), r.Count(Lost), r.Count(Overlap), partner.Quantile(r.Partner.Gaps, 0), r.Partner.Repeated)
	if r.Count(Lost) == 0 {
		t.Error("nothing was lost: this campaign does not reach what the others are safe from")
	}
	for _, k := range []Kind{Overlap, TooClose, Altered, Stranger, Unstamped} {
		if n := r.Count(k); n > 0 {
			t.Errorf("%d times %s: %v", n, k, r)
		}
	}
	warning := regexp.MustCompile(`(?m)^.*"warn".*can lose.*$`)
	for _, p := range append(slices.Clone(s.consumers), s.producer) {
		said, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		if !warning.Match(said) {
			t.Errorf("%s did not warn at its start that accepted orders can be lost", p.name)
		}
	}
}

// takenTwice counts the orders that the partner took more than once, and those
// of them that a death explains: the first answer came after the last moment
// at which its settling was sure to reach a replica that lives. There should be
// few: a consumer that lives settles again what a failover made Redis forget.
func takenTwice(calls []partner.Call, deaths []death) (doubles, explained int) {
	first := map[string]partner.Call{}
	twice := map[string]bool{}
	for _, c := range slices.SortedFunc(slices.Values(calls), byStart) {
		f, again := first[c.OrderID]
		switch {
		case !c.Accepted():
		case !again:
			first[c.OrderID] = c
		case !twice[c.OrderID]:
			twice[c.OrderID] = true
			doubles++
			if slices.ContainsFunc(deaths, func(d death) bool {
				return f.Ended > d.killed-int64(cutFor+time.Second) && f.Ended < d.promoted
			}) {
				explained++
			}
		}
	}
	return doubles, explained
}

// slowest gives the longest time from a master's death to the promotion of
// another, and the longest from a promotion to the first call after it.
func slowest(calls []partner.Call, deaths []death) (promotion, sending time.Duration) {
	calls = slices.SortedFunc(slices.Values(calls), byStart)
	for _, d := range deaths {
		promotion = max(promotion, time.Duration(d.promoted-d.killed))
		if i := slices.IndexFunc(calls, func(c partner.Call) bool { return c.Start() > d.promoted }); i >= 0 {
			sending = max(sending, time.Duration(calls[i].Start()-d.promoted))
		}
	}
	return promotion.Round(time.Millisecond), sending.Round(time.Millisecond)
}

func TestTakenTwice(t *testing.T) {
	second := int64(time.Second)
	at := func(id string, ended int64) partner.Call {
		return partner.Call{OrderID: id, Sent: ended - 10, Ended: ended, Status: 200}
	}
	deaths := []death{{killed: 100 * second, promoted: 103 * second}}
	failed := at("a", 99*second)
	failed.Status = 500
	tests := []struct {
		name               string
		calls              []partner.Call
		doubles, explained int
	}{
		{"each once", []partner.Call{at("a", 100*second), at("b", 101*second)}, 0, 0},
		{"after one that failed", []partner.Call{failed, at("a", 105*second)}, 0, 0},
		{"answered as the master died", []partner.Call{at("a", 105*second), at("a", 100*second)}, 1, 1},
		{"three times", []partner.Call{at("a", 100*second), at("a", 105*second), at("a", 106*second)}, 1, 1},
		{"answered long before", []partner.Call{at("a", 90*second), at("a", 105*second)}, 1, 0},
		{"answered after the promotion", []partner.Call{at("a", 104*second), at("a", 105*second)}, 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if doubles, explained := takenTwice(tt.calls, deaths); doubles != tt.doubles || explained != tt.explained {
				t.Errorf("got %d, %d of them explained; want %d and %d", doubles, explained, tt.doubles, tt.explained)
			}
		})
	}
}
