//go:build timed

package campaign

import (
	"os"
	"strconv"
	"testing"
	"time"

	"orderq/internal/partner"
)

// TestTimedPace lets three consumers work off a backlog at one call a second.
// No two starts may be closer than that, and orders start in the order of their
// acceptance; how many of the slots are used is reported.
func TestTimedPace(t *testing.T) {
	seconds := 20
	if text := os.Getenv("ORDERQ_TEST_PACE_SECONDS"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil {
			t.Fatalf("ORDERQ_TEST_PACE_SECONDS: %v", err)
		}
	}
	s := newSystem(t, setup{
		Consumers: 3, Pace: "1/s", Lease: 15 * time.Second, Timeout: 5 * time.Second, MaxInFlight: 10,
		Respond: func(partner.Call) partner.Response { return partner.Response{Delay: 30 * time.Millisecond} },
	})
	s.startProducer()
	shop := newShop(s.url)
	if err := shop.post(t.Context(), seconds+1, seconds+1, time.Second); err != nil {
		t.Fatal(err)
	}
	s.startConsumers()
	e := s.finish(t.Context(), shop, 2*time.Duration(seconds)*time.Second+30*time.Second)
	e.Interval, e.InOrder = time.Second, true
	r := Check(e)
	if len(r.Violations) > 0 {
		t.Errorf("promises broken: %v", r)
	}
	gaps := r.Partner.Gaps
	var total time.Duration
	for _, g := range gaps {
		total += g
	}
	used := float64(len(gaps)) * e.Interval.Seconds() / total.Seconds()
	report(t, "%d slots of 1/s by 3 processes: gap min %v, median %v, max %v; %.3f %% of the slots used",
		len(gaps), partner.Quantile(gaps, 0), partner.Quantile(gaps, 0.5), partner.Quantile(gaps, 1), 100*used)
}
