package main

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/consumer"
	"orderq/streamutil"
)

func TestDevReport(t *testing.T) {
	var out bytes.Buffer
	report := &devReport{out: &out}
	begin := time.Now()
	call := func(id string, attempt int, after time.Duration, sent bool, r consumer.Result) {
		c := &devCall{report: report, start: begin.Add(after)}
		if sent {
			c.sent()
		}
		c.ended(streamutil.Order{ID: id, Attempt: attempt}, r)
	}
	delivered := consumer.Result{Outcome: streamutil.OutcomeDelivered, Status: 200}
	call("a", 1, 0, true, delivered)
	call("b", 1, 1999900*time.Microsecond, false, consumer.Result{Outcome: streamutil.OutcomeUnavailable, Err: errors.New("not\nsent")})
	call("b", 2, 2999900*time.Microsecond, true, consumer.Result{Outcome: streamutil.OutcomeFailed, Status: 500})
	call("c", 1, 4*time.Second, false, delivered) // the answer overtook the word that it was sent
	call("dd", 1, 5*time.Second, true, consumer.Result{Outcome: streamutil.OutcomeUncertain, Err: errors.New("timeout")})
	report.total(streamutil.Totals{Accepted: 10, Delivered: 5, Dead: 1}, streamutil.Totals{Accepted: 14, Delivered: 7, Dead: 2})
	want := `delivered    a  first call   answer 200
unavailable  b  not sent     not sent
failed       b  gap 2.999 s  attempt 2  answer 500
delivered    c  gap 1.000 s  answer 200
uncertain    dd  gap 1.000 s  timeout
accepted 4, delivered 2, dead 1, gap min 1.000 s, median 1.000 s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestDevReportWithoutGaps(t *testing.T) {
	var out bytes.Buffer
	(&devReport{out: &out}).total(streamutil.Totals{}, streamutil.Totals{Accepted: 1})
	if want := "accepted 1, delivered 0, dead 0, gap min -, median -\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestDevReportKeepsALimitedNumberOfGaps(t *testing.T) {
	report := &devReport{}
	now := time.Now()
	for range 2 * keptGaps {
		now = now.Add(time.Second)
		report.began(now)
	}
	if len(report.gaps) > keptGaps || len(report.gaps) < keptGaps/2 {
		t.Errorf("kept %d gaps", len(report.gaps))
	}
}
