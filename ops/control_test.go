package ops_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestPauseAndResume(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.submit("A-1")
	header := "queue " + d.queue + " on redis " + d.addr + " db 0\n"

	d.check(typed{line: "pause", code: 2, err: []string{`pause --reason "`}})
	d.check(typed{line: "pause --reason ' '", code: 2, err: []string{`pause --reason "`}})
	long := strings.Repeat("x", 501)
	for _, verb := range []string{"pause", "resume", "pace 1/s", "pace reset", "retry A-1", "cancel A-1", "dead drop A-1 --yes", "dead requeue --all --yes"} {
		d.check(typed{line: verb + " --reason " + long, code: 2, err: []string{"--reason has 501 bytes: want 500 at most"}})
	}
	d.check(typed{line: "pause --dry-run --reason " + long[1:], out: []string{"paused until"}})
	d.check(typed{line: "pause --reason x --for 0s", code: 2, err: []string{"--for 0s: want a time above zero"}})
	d.check(typed{line: "pause --reason x --for soon", code: 1, err: []string{"--for"}}) // cobra's own; the program makes it 2
	d.check(typed{
		line: "pause --reason 'data centre' --dry-run",
		out:  []string{"paused until\torderq resume\nreason\tdata centre\nby\tanna@shop-1\n"},
		err:  []string{header, "dry run: nothing is changed\n"},
	})
	if s := d.snapshot(); s.Pause != nil {
		t.Fatalf("a dry run paused: %+v", s.Pause)
	}

	d.check(typed{
		line: "pause --reason 'data centre' --for 30m",
		out:  []string{"paused until\t", "UTC, for 30 min 0 s\nreason\tdata centre\n"},
		err:  []string{header, "undo: orderq resume\n"},
	})
	s := d.snapshot()
	if s.Pause == nil || s.Pause.By != (streamutil.Act{Who: "anna@shop-1", Why: "data centre"}) {
		t.Fatalf("paused: %+v", s.Pause)
	}
	d.check(typed{line: "status", out: []string{"state\tpaused by anna@shop-1: data centre; "}})
	if left := s.Pause.Until.Sub(s.Time); left <= 29*time.Minute || left > 30*time.Minute {
		t.Errorf("ends in %v", left)
	}
	d.check(typed{
		line: "pause --reason 'longer still'", out: []string{"paused until\torderq resume"},
		err: []string{
			"note: this replaces a pause (paused) by anna@shop-1: data centre\n",
			"undo: orderq pause --reason 'data centre' --for ",
		},
	})

	d.check(typed{line: "resume --dry-run", out: []string{"ended\tpaused\n"}, err: []string{"dry run"}})
	if _, errs, _ := d.run("resume", "--dry-run"); strings.Contains(errs, "note:") || strings.Contains(errs, "undo:") {
		t.Errorf("a dry run tells what a change would have: %q", errs)
	}
	if d.snapshot().Pause == nil {
		t.Fatal("a dry run resumed")
	}
	d.check(typed{
		line: "resume --reason done", out: []string{"ended\tpaused\n"},
		err: []string{header, "undo: orderq pause --reason 'longer still'\n", "note: the queue is stalled: no consumer is running\n"},
	})
	d.check(typed{line: "resume", out: []string{"ended\tnothing"}, err: []string{header}})
}

func TestUndoOfResumeKeepsTheRestOfThePause(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.must("pause", "--reason", "it's late", "--for", "2h")
	_, errs, err := d.run("resume", "--queue", d.queue)
	if want := "undo: orderq --queue " + d.queue + ` pause --reason 'it'\''s late' --for `; err != nil || !strings.Contains(errs, want) {
		t.Errorf("got %q, %v; want %q", errs, err, want)
	}
}

// What a hand has set may have no reason, and what the queue has set is not a
// person's to set again.
func TestUndoOfPausesThatNobodyGaveAReasonFor(t *testing.T) {
	srv := redistest.Shared(t)
	d := newDesk(t, srv.Addr())
	control := "orderq:{" + d.queue + "}:control"
	srv.CLI("HSET", control, "paused", "paused")
	d.check(typed{line: "pause --reason lunch", out: []string{"paused until"}, err: []string{"undo: orderq pause --reason 'as before'\n"}})
	srv.CLI("HSET", control, "pause_why", " ")
	d.check(typed{line: "resume", out: []string{"ended\tpaused"}, err: []string{"undo: orderq pause --reason 'as before'\n"}})
	srv.CLI("HSET", control, "paused", "credentials")
	d.check(typed{
		line: "pause --reason lunch", out: []string{"paused until"},
		err: []string{"this replaces a pause (credentials)", "undo: orderq resume  (if the partner still refuses our credentials, the queue pauses itself again)\n"},
	})
}

func TestResumeEndsAHold(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	w.submit("A-1")
	w.ends(w.next(), streamutil.Settlement{Outcome: streamutil.OutcomeThrottled, Status: 429, RetryAfter: time.Hour})
	if s := d.snapshot(); s.State != streamutil.QueueHeld {
		t.Fatalf("not held: %+v", s)
	}
	d.check(typed{line: "resume --dry-run", out: []string{"ended\thold\n"}})
	d.check(typed{line: "resume", out: []string{"ended\thold\n"}, err: []string{"needs no undoing"}})
	if s := d.snapshot(); s.State != streamutil.QueueRunning {
		t.Errorf("after resume: %s, %s", s.State, s.Reason)
	}
	out := d.must("resume", "-o", "json")
	var got struct{ Ended []string }
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Ended == nil || len(got.Ended) != 0 {
		t.Errorf("nothing to end: %q, %v; want an empty array", out, err)
	}
}

func TestPaceShowsAndSets(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "pace", out: []string{"pace\tnot known until a consumer has run\nset by\tthe consumers\nconsumers' own\tnot known\n"}})
	d.submit("A-1")
	d.take("c1") // at 1/s

	d.check(typed{line: "pace", out: []string{"pace\t1/s\nset by\tthe consumers\nconsumers' own\t1/s, the slowest: c1\n"}})
	d.check(typed{line: "pace 0.5/s --dry-run", out: []string{"pace\t30/m\n"}})
	d.check(typed{line: "pace 2/s --dry-run", out: []string{"pace\t2/s\nset by\tanna@shop-1\n"}, err: []string{"dry run"}})
	if d.snapshot().Override != nil {
		t.Fatal("a dry run set the pace")
	}
	d.check(typed{
		line: "pace 2/s --reason 'big day'",
		out:  []string{"pace\t2/s\nset by\tanna@shop-1\nreason\tbig day\nuntil\torderq pace reset\nconsumers' own\t1/s, the slowest: c1\n"},
		err:  []string{"queue " + d.queue, "note: faster than the consumers' own 1/s", "undo: orderq pace reset\n"},
	})
	d.check(typed{line: "pace", out: []string{"pace\t2/s\nset by\tanna@shop-1\nreason\tbig day\n"}})
	d.check(typed{
		line: "pace 30/m --for 2h", out: []string{"pace\t30/m\n", "until\t", "UTC, for 2 h 0 min"},
		err: []string{"undo: orderq pace 2/s --reason 'big day'\n"},
	})
	s := d.snapshot()
	if s.Override == nil || s.Pace != 2*time.Second || s.Override.Until.Sub(s.Time) <= time.Hour {
		t.Fatalf("pace %v, override %+v", s.Pace, s.Override)
	}
	d.check(typed{line: "status", out: []string{"pace\t30/m, set by anna@shop-1 for another "}})
	d.check(typed{line: "pace reset --dry-run", out: []string{"pace\t1/s\n"}})
	if d.snapshot().Override == nil {
		t.Fatal("a dry run reset the pace")
	}
	d.check(typed{line: "pace reset", out: []string{"pace\t1/s\nset by\tthe consumers\n"}, err: []string{"undo: orderq pace 30/m --for "}})
	if s := d.snapshot(); s.Override != nil || s.Pace != time.Second {
		t.Errorf("after the reset: pace %v, override %+v", s.Pace, s.Override)
	}
	d.check(typed{line: "pace reset", out: []string{"pace\t1/s\n"}, err: []string{"nothing changed: no other pace was set"}})
}

func TestPaceRefuses(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	for line, want := range map[string]string{
		"pace fast":           `pace "fast": want NUMBER/s`,
		"pace rest":           "orderq pace reset",
		"pace 0/s":            `pace "0/s": want NUMBER/s`,
		"pace --for 2h":       "go with a RATE",
		"pace 1/s --for -1h":  "--for -1h0m0s: want a time above zero",
		"pace --reason other": "go with a RATE",
	} {
		d.check(typed{line: line, code: 2, err: []string{want}})
	}
}

func TestPaceInJSON(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.must("pace", "unlimited", "--for", "1h", "--reason", "test")
	var got map[string]any
	if err := json.Unmarshal([]byte(d.must("pace", "-o", "json")), &got); err != nil {
		t.Fatal(err)
	}
	o, _ := got["override"].(map[string]any)
	until, _ := o["until"].(string)
	if got["pace"] != "unlimited" || got["base_pace"] != nil || o["by"] != "anna@shop-1" || !strings.HasSuffix(until, "Z") {
		t.Errorf("got %v", got)
	}
}
