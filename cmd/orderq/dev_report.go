package main

import (
	"context"
	"fmt"
	"io"
	"net/http/httptrace"
	"slices"
	"sync"
	"time"

	"orderq/consumer"
	"orderq/streamutil"
)

// keptGaps bounds what the median is taken of: the last so many gaps.
const keptGaps = 100_000

// devSender is the consumer's sender, and tells what it does.
type devSender struct {
	*consumer.HTTPSender

	report *devReport
}

// Send implements [consumer.Sender]. A call's start is the moment just before
// its first byte; the next slot is measured from just after it. So of the calls
// that went out, these moments are no closer than the first bytes have to be.
func (d *devSender) Send(ctx context.Context, o streamutil.Order) consumer.Result {
	c := &devCall{report: d.report, start: time.Now()}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { c.start = time.Now() },
		WroteHeaders: c.sent,
	})
	r := d.HTTPSender.Send(ctx, o)
	c.ended(o, r)
	return r
}

// devCall is one call while it runs.
type devCall struct {
	report *devReport
	start  time.Time
	// gap is how long after the last one it began; empty until it is sent.
	gap string
}

// sent notes that the call went out.
func (c *devCall) sent() {
	c.report.mu.Lock()
	defer c.report.mu.Unlock()
	c.began()
}

func (c *devCall) began() {
	if c.gap == "" {
		c.gap = c.report.began(c.start)
	}
}

// ended prints the call's line.
func (c *devCall) ended(o streamutil.Order, r consumer.Result) {
	d := c.report
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Status != 0 || r.Outcome == streamutil.OutcomeUncertain {
		c.began() // the answer can overtake the word that it was sent
	}
	gap := c.gap
	if gap == "" {
		gap = "not sent"
	}
	d.widest = max(d.widest, len(o.ID))
	fmt.Fprintf(d.out, "%-11s  %-*s  %-11s%s\n", r.Outcome, d.widest, o.ID, gap, details(o, r))
}

func details(o streamutil.Order, r consumer.Result) string {
	text := ""
	if o.Attempt > 1 {
		text += fmt.Sprintf("  attempt %d", o.Attempt)
	}
	if r.Status != 0 {
		text += fmt.Sprintf("  answer %d", r.Status)
	}
	if r.Err != nil {
		text += "  " + oneLine(r.Err.Error())
	}
	return text
}

// devReport prints what orderq dev does, a line for each call. It is safe for
// concurrent use.
type devReport struct {
	mu     sync.Mutex
	out    io.Writer
	last   time.Time // start of the last call that was sent
	gaps   []time.Duration
	least  time.Duration
	widest int // of the order ids so far, so that the columns stay straight
}

// began notes the start of a call and says how long after the last it was.
func (d *devReport) began(start time.Time) string {
	last := d.last
	d.last = start
	if last.IsZero() {
		return "first call"
	}
	gap := max(0, start.Sub(last))
	if len(d.gaps) == 0 || gap < d.least {
		d.least = gap
	}
	if len(d.gaps) == keptGaps {
		d.gaps = slices.Delete(d.gaps, 0, keptGaps/2)
	}
	d.gaps = append(d.gaps, gap)
	return "gap " + seconds(gap)
}

// say prints a line between those of calls.
func (d *devReport) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.out, format+"\n", args...)
}

// total prints the last line: what came and went between two looks at the
// queue, and how far apart the calls began.
func (d *devReport) total(from, to streamutil.Totals) {
	d.mu.Lock()
	defer d.mu.Unlock()
	least, median := "-", "-"
	if len(d.gaps) > 0 {
		sorted := slices.Sorted(slices.Values(d.gaps))
		least, median = seconds(d.least), seconds(sorted[len(sorted)/2])
	}
	fmt.Fprintf(d.out, "accepted %d, delivered %d, dead %d, gap min %s, median %s\n",
		to.Accepted-from.Accepted, to.Delivered-from.Delivered, to.Dead-from.Dead, least, median)
}

// seconds gives a duration in seconds, cut off after the milliseconds: a gap
// under a second must not look like one.
func seconds(d time.Duration) string {
	return fmt.Sprintf("%.3f s", float64(d.Milliseconds())/1000)
}
