package ops_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"orderq/internal/redistest"
	"orderq/ops"
	"orderq/streamutil"
)

func TestTail(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "tail"})
	d.check(typed{line: "tail -o json", out: []string{"[]\n"}})
	d.orders()
	d.must("pause", "--for", "30m", "--reason", "big day")
	d.must("resume")
	d.must("pace", "30/m", "--for", "1h", "--yes", "--reason", "they asked")
	d.must("pace", "reset")
	d.must("retry", "parked")
	d.must("dead", "drop", "dead", "--delivered", "--yes")
	for _, fields := range []string{
		"breaker state open", "breaker state closed", "breaker state still", "epoch state closed", "epoch state open", "group state created",
		"due state found", "reclaim consumer c9 due 2 dead 1", "vanished entry 1-1", "vanished orders 3", "found order F entry 1-2",
		"pause reason credentials who orderq", "purge orders 12 who me", "flood order X", "cancel order G attempt 2",
	} {
		redistest.Shared(t).CLI(append([]string{"XADD", "orderq:{" + d.queue + "}:log", "*", "what"}, strings.Fields(fields)...)...)
	}
	d.check(typed{line: "tail", out: []string{
		" UTC\torder dead is dead: rejected\n", "order dead, attempt 1: rejected, answer 422; now dead, by w\n",
		"order delivered, attempt 1: delivered, answer 200, by w\n", "order cancelled cancelled\n",
		"order parked, attempt 1: failed, answer 500; now parked, by w\n",
		"\tpaused for 30 min 0 s, by anna@shop-1: big day\n", "\tresumed, by anna@shop-1\n",
		"\tpace 30/m for 1 h 0 min, by anna@shop-1: they asked\n", "\tpace reset, by anna@shop-1\n",
		"\torder parked retried, by anna@shop-1\n", "\tdead letter of order dead dropped as delivered, by anna@shop-1\n",
		"nobody gets through to the partner", "the partner is there again", "a probe did not get through", "nobody sends until", "nothing was in flight",
		"the consumer group was gone", "the index of due times", "consumer c9 is dead: 2 orders of it due again, 1 dead\n",
		"entry 1-1 was deleted by hand", "3 waiting orders were deleted by hand", "order F (entry 1-2) was taken from its consumer by hand",
		"the queue paused itself: the partner refuses our credentials\n", "purge ended: 12 orders cancelled, by me\n", "\tflood X\n",
		"order G cancelled after 2 attempts\n",
	}})
	d.check(typed{line: "tail --limit 2", out: []string{"\tflood X\n", "\torder G cancelled after 2 attempts\n"}})
	if out := d.must("tail", "--limit", "2"); strings.Count(out, "\n") != 2 {
		t.Errorf("two lines of the log: %q", out)
	}
	d.check(typed{line: "tail --limit 1 -o jsonl", out: []string{`"what":"cancel","text":"order G cancelled after 2 attempts","order_id":"G"`}})
	d.check(typed{line: "tail -f -o json", code: 2, err: []string{"use -o jsonl"}})
}

// The last lines are the last ones however many there are.
func TestTailOfALongLog(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	redistest.Shared(t).CLI("EVAL", `for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'what', 'n', 'order', i) end`,
		"1", "orderq:{"+d.queue+"}:log", "1600")
	for _, n := range []int{1, 499, 500, 501, 1599, 1600, 1700} {
		lines := strings.Split(strings.TrimSpace(d.must("tail", "--limit", fmt.Sprint(n))), "\n")
		first := fmt.Sprintf("\tn %d", max(1600-n, 0)+1)
		if len(lines) != min(n, 1600) || !strings.HasSuffix(lines[0], first) || !strings.HasSuffix(lines[len(lines)-1], "\tn 1600") {
			t.Errorf("--limit %d: %d lines from %q to %q", n, len(lines), lines[0], lines[len(lines)-1])
		}
	}
}

// screen is what a command that goes on has written until now.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) shows(text string) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.text.String(), text)
	}
}

// follow runs tail -f and returns what it shows, and what ends it as Ctrl-C does.
func (d *desk) follow(args ...string) (out, errs *screen, stop func() error) {
	ctx, cancel := context.WithCancel(d.t.Context())
	root := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	root.PersistentFlags().StringP("output", "o", "table", "")
	root.PersistentFlags().Int("limit", 50, "")
	root.AddCommand(ops.Commands(d.open)...)
	out, errs = &screen{}, &screen{}
	root.SetOut(out)
	root.SetErr(errs)
	root.SetArgs(append([]string{"tail", "-f"}, args...))
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	return out, errs, func() error {
		cancel()
		return <-done
	}
}

func TestTailFollows(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	out, errs, stop := d.follow("-o", "jsonl", "--limit", "1")
	for i := range 3 {
		d.must("pause", "--reason", fmt.Sprintf("reason %d", i))
		redistest.Eventually(t, "the line is shown", out.shows(fmt.Sprintf(`"why":"reason %d"`, i)))
	}
	if err := stop(); err != nil || errs.text.Len() > 0 {
		t.Errorf("a tail that is stopped is no error: %v, %q", err, errs.text.String())
	}
	if n := strings.Count(out.text.String(), "\n"); n != 3 {
		t.Errorf("%d lines of 3:\n%s", n, out.text.String())
	}
}

func TestTailGoesOnAfterRedisWasAway(t *testing.T) {
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	d := newDesk(t, srv.Addr())
	d.must("pause", "--reason", "before")
	out, errs, stop := d.follow()
	redistest.Eventually(t, "what was is shown", out.shows(": before\n"))
	srv.Kill()
	redistest.Eventually(t, "that Redis is away is said", errs.shows("does not answer"))
	srv.Restart()
	d.must("pause", "--reason", "after")
	redistest.Eventually(t, "it goes on", out.shows(": after\n"))
	if err := stop(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.text.String(), ": before\n"); n != 1 || !errs.shows("answers again")() || errs.shows("lost")() {
		t.Errorf("shown %d times, and said:\n%s", n, errs.text.String())
	}
}

func TestTailOfALogThatWasLost(t *testing.T) {
	srv := redistest.Start(t, "--appendonly", "no", "--save", "")
	d := newDesk(t, srv.Addr())
	// A clock that was ahead: what is written after the loss stands before it.
	srv.CLI("XADD", "orderq:{"+d.queue+"}:log", fmt.Sprintf("%d-0", time.Now().Add(time.Hour).UnixMilli()), "what", "old")
	out, errs, stop := d.follow()
	redistest.Eventually(t, "what was is shown", out.shows("\told\n"))
	srv.Kill()
	redistest.Eventually(t, "that Redis is away is said", errs.shows("does not answer"))
	srv.Restart()
	redistest.Eventually(t, "the loss is said", errs.shows("Redis has lost the end of the log"))
	d.must("pause", "--reason", "after")
	redistest.Eventually(t, "it goes on", out.shows(": after\n"))
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTailLeavesNothingBehind(t *testing.T) {
	srv := redistest.Shared(t)
	d := &desk{t: t, addr: srv.Addr(), queue: redistest.QueueName(t)}
	before := goleak.IgnoreCurrent()
	srv.CLI("XADD", "orderq:{"+d.queue+"}:log", "*", "what", "here")
	out, _, stop := d.follow()
	redistest.Eventually(t, "the line is shown", out.shows("\there\n"))
	if err := stop(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}

func TestTailOfWhatIsNoLog(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	redistest.Shared(t).CLI("SET", "orderq:{"+d.queue+"}:log", "no log")
	d.check(typed{line: "tail", code: 1, err: []string{"WRONGTYPE"}})
	if _, err := d.q.Log(t.Context(), streamutil.EntryID{}, 1); err == nil {
		t.Error("no error")
	}
}
