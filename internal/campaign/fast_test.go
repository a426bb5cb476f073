//go:build timed

package campaign

import (
	"fmt"
	"testing"
	"time"

	"orderq/internal/partner"
)

// TestTimedFastPaces lets three consumers work off a backlog in batches of
// slots, and without a pace. No two starts may be closer than the pace; how many
// of the slots are used, and what is got through without one, is reported.
func TestTimedFastPaces(t *testing.T) {
	for _, c := range []struct {
		pace     string
		interval time.Duration
		orders   int
	}{
		{"100/s", 10 * time.Millisecond, 500},
		{"1000/s", time.Millisecond, 2000},
		{"unlimited", 0, 3000},
	} {
		t.Run(c.pace, func(t *testing.T) {
			s := newSystem(t, setup{
				Consumers: 3, Pace: c.pace, Lease: 15 * time.Second, Timeout: 5 * time.Second, MaxInFlight: 100,
				Respond: func(partner.Call) partner.Response { return partner.Response{Delay: 5 * time.Millisecond} },
			})
			accepted := s.backlog(c.orders)
			s.startConsumers()
			await(t, time.Minute, "the queue is empty", func() bool {
				snap, ok := s.inspect()
				return ok && snap.Length == 0
			})
			s.stopConsumers()
			final, _ := s.inspect()
			e := Evidence{Interval: c.interval, InOrder: c.interval > 0, Accepted: accepted, Calls: s.partner.Calls(), Final: final}
			e.States = delivered(accepted) // the totals say so
			r := Check(e)
			if len(r.Violations) > 0 {
				t.Errorf("promises broken: %v", r)
			}
			report(t, "%s by 3 processes: %s", c.pace, figures(r.Partner.Gaps, c.interval))
		})
	}
}

// figures tells how a backlog was worked off.
func figures(gaps []time.Duration, interval time.Duration) string {
	var total time.Duration
	for _, g := range gaps {
		total += g
	}
	text := fmt.Sprintf("%d starts, %.0f/s", len(gaps)+1, float64(len(gaps))/total.Seconds())
	if interval == 0 {
		return text
	}
	return text + fmt.Sprintf(", gap min %v, median %v, p99 %v, max %v; %.2f %% of the slots used",
		partner.Quantile(gaps, 0), partner.Quantile(gaps, 0.5), partner.Quantile(gaps, 0.99), partner.Quantile(gaps, 1),
		100*float64(len(gaps))*interval.Seconds()/total.Seconds())
}
