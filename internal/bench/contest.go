package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Contender is one of the servers that are compared.
type Contender struct {
	Name string
	Load Load
	// Rounds are the orders a second of each round.
	Rounds []float64
	// Last is the result of the last round.
	Last Result
}

// PerSecond is the median of the rounds.
func (c *Contender) PerSecond() float64 { return median(c.Rounds) }

// Ratio compares two contenders within each round, in which the same things
// disturbed both.
type Ratio struct {
	Median, Least, Most float64
}

// To is how many times what other does c does. Both must have run.
func (c *Contender) To(other *Contender) Ratio {
	r := make([]float64, len(c.Rounds))
	for i := range r {
		r[i] = c.Rounds[i] / other.Rounds[i]
	}
	return Ratio{Median: median(r), Least: slices.Min(r), Most: slices.Max(r)}
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Contest loads contenders in turns, round after round.
type Contest struct {
	Contenders []*Contender
	Rounds     int
	Each       time.Duration // of one contender in one round
	// Progress is told what begins.
	Progress func(round int, name string)
}

// Run measures all. No body is sent twice to one contender.
func (c *Contest) Run(ctx context.Context) error {
	for round := range c.Rounds {
		for _, one := range c.Contenders {
			c.Progress(round+1, one.Name)
			l, from := one.Load, int64(round)<<32
			l.Body = func(buf []byte, n int64) []byte { return one.Load.Body(buf, from+n) }
			got, err := l.Run(ctx, c.Each)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				return fmt.Errorf("measure %s: %w", one.Name, err)
			}
			one.Rounds, one.Last = append(one.Rounds, got.PerSecond()), got
		}
	}
	return nil
}
