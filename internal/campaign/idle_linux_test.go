//go:build timed

package campaign

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"orderq/internal/partner"
)

// TestTimedIdle measures what a consumer costs that has nothing to do.
func TestTimedIdle(t *testing.T) {
	s := newSystem(t, setup{Consumers: 1, Pace: "1/s", Lease: 15 * time.Second, Timeout: 5 * time.Second, MaxInFlight: 10})
	s.startConsumers()
	await(t, 10*time.Second, "the consumer is registered", func() bool {
		s.consumers[0].mustRun()
		snap, ok := s.inspect()
		return ok && len(snap.Consumers) == 1
	})
	wait(t, 2*time.Second) // its start is over
	const window = 8 * time.Second
	pid := s.consumers[0].cmd.Process.Pid
	cpu, sent, done := cpuTime(t, pid), s.commands("evalsha", "xread"), s.commands()
	wait(t, window)
	cpu, sent, done = cpuTime(t, pid)-cpu, s.commands("evalsha", "xread")-sent, s.commands()-done
	report(t, "idle consumer: %.2f %% of one CPU, %.2f commands a second sent to Redis (%.1f with those inside scripts), %s resident",
		100*cpu.Seconds()/window.Seconds(), float64(sent)/window.Seconds(), float64(done)/window.Seconds(), resident(t, pid))
}

// TestTimedWake measures how long an order waits that meets an empty queue and
// a free slot: from the producer's 202 to the start of its call.
func TestTimedWake(t *testing.T) {
	s := newSystem(t, setup{Consumers: 1, Pace: "20/s", Lease: 15 * time.Second, Timeout: 5 * time.Second, MaxInFlight: 10})
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	accepted := map[string]int64{}
	for i := range 61 {
		id := fmt.Sprintf("W-%d", i)
		if _, err := shop.submit(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		accepted[id] = bootTime(t)
		await(t, 10*time.Second, "the order is delivered", func() bool {
			calls := s.partner.Calls()
			return len(calls) == i+1 && calls[i].Ended != 0
		})
		wait(t, 80*time.Millisecond+time.Duration(i%7)*10*time.Millisecond)
	}
	var waits []time.Duration
	for _, c := range s.partner.Calls()[1:] { // the first one waits for the consumer to start
		waits = append(waits, time.Duration(c.Sent-accepted[c.OrderID]))
	}
	report(t, "202 to the call's start on an empty queue, %d orders: p50 %v, p99 %v, max %v",
		len(waits), partner.Quantile(waits, 0.5), partner.Quantile(waits, 0.99), partner.Quantile(waits, 1))
}

// bootTime reads the clock that senders stamp their calls by.
func bootTime(t *testing.T) int64 {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}

// cpuTime is what a process's threads have used so far, in nanoseconds: its
// stat file knows hundredths of a second only.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("threads of %d: %d files, %v", pid, len(files), err)
	}
	var total time.Duration
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // this thread has ended
		}
		first, _, _ := bytes.Cut(text, []byte(" "))
		n, err := strconv.ParseInt(string(first), 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		total += time.Duration(n)
	}
	return total
}

// resident is a process's memory as the kernel shows it.
func resident(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

var commandLine = regexp.MustCompile(`cmdstat_([^:]+):calls=(\d+)`)

// commands is how often Redis has run the named commands, or all of them; those
// that scripts call are among them.
func (s *system) commands(names ...string) int {
	s.t.Helper()
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	total := 0
	for _, m := range commandLine.FindAllStringSubmatch(s.redis.CLI("INFO", "commandstats"), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			s.t.Fatal(err)
		}
		if len(names) == 0 || wanted[m[1]] {
			total += n
		}
	}
	return total
}
