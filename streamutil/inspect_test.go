package streamutil_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestInspectOfNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	got := h.snapshot()
	if time.Since(got.Time).Abs() > time.Minute {
		t.Errorf("Redis's clock is %v", got.Time)
	}
	want := streamutil.Snapshot{State: streamutil.QueueIdle, DrainKnown: true}
	ignore := cmpopts.IgnoreFields(streamutil.Snapshot{}, "Time", "Memory", "Risks")
	if d := cmp.Diff(want, got, ignore, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if f := h.facts(); len(f) > 0 {
		t.Errorf("looking wrote %v", f)
	}
}

func TestInspectCounts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 20*time.Millisecond)
	for _, order := range []string{"A", "B", "C", "D", "E"} {
		h.submit(order)
	}
	h.take("c1", 1, 4)
	h.delivered("c1", 1, "A")
	h.settle("c1", 1, "B", streamutil.OutcomeFailed, time.Hour)
	h.settle("c1", 1, "C", streamutil.OutcomeRejected, 0)
	got := h.snapshot()
	want := streamutil.Snapshot{
		Length: 3, Waiting: 1, InFlight: 1, Parked: 1, Dead: 1,
		Pace: 20 * time.Millisecond, BasePace: 20 * time.Millisecond, PaceKnown: true, Drain: time.Hour, DrainKnown: true,
		Totals: streamutil.Totals{Accepted: 5, Delivered: 1, Dead: 1},
		Consumers: []streamutil.ConsumerInfo{{
			Name: "c1", Host: "host", Version: "test", PID: 1,
			Pace: 20 * time.Millisecond, Lease: 15 * time.Second, Alive: true, InFlight: 1,
		}},
		State: streamutil.QueueRunning, GroupExists: true,
		LastError: &streamutil.LogEntry{
			What: "attempt", OrderID: "C", Entry: h.entries["C"], Outcome: streamutil.OutcomeRejected,
			State: streamutil.Dead, Status: 500, Attempt: 1, Consumer: "c1",
		},
	}
	times := cmp.Options{
		cmpopts.IgnoreFields(streamutil.Snapshot{}, "Time", "Oldest", "OldestWaiting", "OldestInFlight", "Memory", "Risks"),
		cmpopts.IgnoreFields(streamutil.ConsumerInfo{}, "Started", "Seen"),
		cmp.Comparer(func(x, y time.Duration) bool { return roughly(x) == roughly(y) }),
		cmpopts.IgnoreFields(streamutil.LogEntry{}, "ID", "Time"),
	}
	if d := cmp.Diff(want, got, times); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got.Alive() != 1 {
		t.Errorf("%d alive", got.Alive())
	}
	for name, at := range map[string]time.Time{"start": got.Consumers[0].Started, "error": got.LastError.Time} {
		if got.Time.Sub(at).Abs() > time.Minute {
			t.Errorf("%s at %v", name, at)
		}
	}
}

// Ages come from the entries' IDs.
func TestInspectAges(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.register("c1")
	now := h.snapshot().Time
	for i, age := range []time.Duration{3 * time.Hour, 2 * time.Hour, time.Hour} {
		id := streamutil.EntryID{Ms: uint64(now.Add(-age).UnixMilli())}
		h.redis("XADD", "%stream", id.String(), "id", []string{"A", "B", "C"}[i], "body", "{}")
	}
	h.take("c1", 1, 1)
	got := h.snapshot()
	if roughly(got.Oldest) != "3h0m0s" || roughly(got.OldestWaiting) != "2h0m0s" {
		t.Errorf("oldest %v, oldest waiting %v", got.Oldest, got.OldestWaiting)
	}
}

// When the backlog is through is told only where it can be told.
func TestInspectEstimatesTheDrain(t *testing.T) {
	t.Parallel()
	second := streamutil.Every(time.Second)
	for _, c := range []struct {
		name   string
		orders int
		pace   streamutil.Pace
		pause  time.Duration // -1: without an end
		want   string
	}{
		{"at a pace", 2, second, 0, "2s"},
		{"paused for a while", 2, second, time.Hour, "1h0m2s"},
		{"paused without an end", 2, second, -1, "not known"},
		{"as fast as the partner takes it", 2, streamutil.Unlimited, 0, "not known"},
		{"nothing to send", 0, second, 0, "0s"},
		{"nothing to send, unlimited", 0, streamutil.Unlimited, 0, "0s"},
		{"nothing to send, paused for a while", 0, second, time.Hour, "0s"},
		{"nothing to send, paused without an end", 0, second, -1, "0s"},
	} {
		h := newHarness(t)
		h.registerAt("c1", c.pace.Interval())
		for i := range c.orders {
			h.submit(string(rune('A' + i)))
		}
		if c.pause != 0 {
			if err := h.q.Pause(t.Context(), max(c.pause, 0), streamutil.Act{Who: "me", Why: "test"}); err != nil {
				t.Fatal(err)
			}
		}
		s, got := h.snapshot(), "not known"
		if s.DrainKnown {
			got = s.Drain.Round(time.Second).String()
		}
		if got != c.want || !s.DrainKnown && s.Drain != 0 {
			t.Errorf("%s: drained in %s (%v), want %s", c.name, got, s.Drain, c.want)
		}
	}
}

// What is held too long, or is due and not taken up, shows.
func TestInspectDelays(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.registerAt("c1", 20*time.Millisecond)
	for _, order := range []string{"A", "B", "C"} {
		h.submit(order)
	}
	h.take("c1", 1, 3)
	h.settle("c1", 1, "C", streamutil.OutcomeFailed, time.Hour)
	if got := h.snapshot(); got.OldestInFlight > time.Minute || got.Overdue != 0 {
		t.Errorf("at once: held for %v, overdue by %v", got.OldestInFlight, got.Overdue)
	}
	h.redis("XCLAIM", "%stream", "dispatchers", "c1", "0", h.entries["B"].String(), "IDLE", "7200000", "JUSTID")
	h.redis("EVAL", `local due = redis.call('ZRANGE', KEYS[1], 0, 0)
		redis.call('ZINCRBY', KEYS[1], '-10800000', due[1])`, "1", "%due")
	got := h.snapshot()
	if roughly(got.OldestInFlight) != "2h0m0s" || roughly(got.Overdue) != "2h0m0s" {
		t.Errorf("held for %v, overdue by %v, want 2h of each", got.OldestInFlight, got.Overdue)
	}
}

// Whatever can cost accepted orders is told.
func TestInspectRisks(t *testing.T) {
	t.Parallel()
	replicas, err := streamutil.ParseDurability("replicas=1")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		args       []string
		durability streamutil.Durability
		want       []string
	}{
		{"sound", []string{"--appendonly", "yes"}, streamutil.Durability{}, nil},
		{"no file", nil, streamutil.Durability{}, []string{"persistence"}},
		{"no file, but replicas", nil, replicas, nil},
		{"a policy that never applies", []string{"--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"}, streamutil.Durability{}, nil},
		{
			"eviction",
			[]string{"--appendonly", "yes", "--maxmemory-policy", "volatile-ttl", "--maxmemory", "1gb"},
			streamutil.Durability{},
			[]string{"eviction"},
		},
		{"full", []string{"--appendonly", "yes", "--maxmemory", "900kb"}, streamutil.Durability{}, []string{"memory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t, c.args...)
			client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}, Durability: c.durability})
			t.Cleanup(client.Close)
			q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: "orders"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := q.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got.Risks); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	t.Run("a disk that takes nothing", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "gone")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		h := harnessOn(t, redistest.Start(t, "--dir", dir), streamutil.ClientConfig{}, streamutil.QueueConfig{})
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		h.redis("BGSAVE")
		redistest.Eventually(t, "the failure shows", func() bool {
			return slices.Contains(h.snapshot().Risks, "write_errors")
		})
	})
}

// Whatever keeps a queue from sending has a name.
func TestInspectSaysWhyNothingMoves(t *testing.T) {
	for _, c := range []struct {
		name    string
		given   func(h *harness)
		state   streamutil.QueueState
		blocked string
	}{{
		name: "all is well", given: ready,
		state: streamutil.QueueRunning,
	}, {
		name:  "nothing to do",
		given: func(h *harness) { h.register("c1") },
		state: streamutil.QueueIdle,
	}, {
		name:  "nobody is there",
		given: func(h *harness) { h.submit("A") },
		state: streamutil.QueueStalled, blocked: "no_consumer",
	}, {
		name: "whoever was there is silent",
		given: func(h *harness) {
			ready(h)
			h.redis("EVAL", `local c = cjson.decode(redis.call('HGET', KEYS[1], 'c1'))
				c.seen = c.seen - 16000
				redis.call('HSET', KEYS[1], 'c1', cjson.encode(c))`, "1", "%consumers")
		},
		state: streamutil.QueueStalled, blocked: "no_consumer",
	}, {
		name: "paused by a person",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%control", "paused", "paused")
		},
		state: streamutil.QueuePaused, blocked: "paused",
	}, {
		name: "the partner asked for a wait",
		given: func(h *harness) {
			inFlight(h)
			h.settleAs(streamutil.Settlement{
				Consumer: "c1", K: 1, Entry: h.entries["A"], OrderID: "A",
				Outcome: streamutil.OutcomeThrottled, Status: 429, RetryAfter: time.Minute,
			})
		},
		state: streamutil.QueueHeld, blocked: "hold",
	}, {
		name:  "nobody gets through",
		given: func(h *harness) { h.outage("A", "A", "A") },
		state: streamutil.QueueHeld, blocked: "breaker",
	}, {
		name: "nobody gets through, and one is being tried",
		given: func(h *harness) {
			h.outage("A", "A", "A")
			h.anHourPasses()
			h.take("c1", h.k+1, 1)
		},
		state: streamutil.QueueHeld, blocked: "breaker",
	}, {
		name: "the partner refuses us",
		given: func(h *harness) {
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeUnauthorized, 0)
		},
		state: streamutil.QueuePaused, blocked: "credentials",
	}, {
		name: "memory is full",
		given: func(h *harness) {
			h.alone()
			ready(h)
			h.redis("CONFIG", "SET", "maxmemory", "1")
		},
		state: streamutil.QueueRunning, blocked: "memory",
	}, {
		name: "all that is left waits for its next attempt",
		given: func(h *harness) {
			h.register("c1")
			h.submit("A")
			h.take("c1", 1, 1)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Minute)
		},
		state: streamutil.QueueRunning, blocked: "parked",
	}, {
		name: "a consumer lives and cannot do its work",
		given: func(h *harness) {
			ready(h)
			if _, err := h.q.Heartbeat(h.t.Context(), "c1", 1, streamutil.Every(time.Second), "auth"); err != nil {
				h.t.Fatal(err)
			}
		},
		state: streamutil.QueueStalled, blocked: "redis",
	}, {
		name: "too few replicas",
		given: func(h *harness) {
			h.alone()
			ready(h)
			h.redis("CONFIG", "SET", "min-replicas-to-write", "2")
		},
		state: streamutil.QueueStalled, blocked: "replicas",
	}, {
		name: "paused for a time that is over",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%control", "paused", "paused", "pause_until", h.inQueueTime(-time.Minute))
		},
		state: streamutil.QueueRunning,
	}, {
		name: "paused, and nothing waits",
		given: func(h *harness) {
			h.register("c1")
			h.redis("HSET", "%control", "paused", "credentials")
		},
		state: streamutil.QueuePaused, blocked: "credentials",
	}, {
		name: "held",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%control", "hold_until", h.inQueueTime(time.Minute))
		},
		state: streamutil.QueueHeld, blocked: "hold",
	}, {
		name: "held by queue time, which is ahead of the clock",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%pace", "clock_offset", milliseconds(time.Hour))
			h.redis("HSET", "%control", "hold_until", h.inQueueTime(time.Minute))
		},
		state: streamutil.QueueRunning,
	}, {
		name: "an epoch that is not open yet",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%pace", "server", "another")
			h.beat("c1", 1)
		},
		state: streamutil.QueueStalled, blocked: "epoch",
	}, {
		name: "as many calls as may run",
		given: func(h *harness) {
			h.q = h.queueWith(streamutil.QueueConfig{MaxInFlight: 1})
			inFlight(h)
		},
		state: streamutil.QueueRunning, blocked: "max_in_flight",
	}, {
		name: "in flight with one that is gone",
		given: func(h *harness) {
			h.register("c1")
			h.submit("A")
			h.take("c1", 1, 1)
			h.leave("c1")
			h.register("c2")
		},
		state: streamutil.QueueRunning, blocked: "recovery",
	}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			c.given(h)
			s := h.snapshot()
			if s.State != c.state || s.Blocked != c.blocked {
				t.Errorf("%s, blocked %q (%s); want %s, %q", s.State, s.Blocked, s.Reason, c.state, c.blocked)
			}
			if (s.Reason == "") != (c.blocked == "") {
				t.Errorf("reason %q", s.Reason)
			}
		})
	}
}

// A pace that the scripts do not go by is not told either.
func TestInspectOfAPaceThatIsNone(t *testing.T) {
	t.Parallel()
	for _, written := range []string{"-5", "fast", ""} {
		h := newHarness(t)
		h.registerAt("c1", time.Second)
		h.redis("HSET", "%control", "pace_override", written, "pace_who", "me")
		if s := h.snapshot(); s.Override != nil || !s.PaceKnown || s.Pace != time.Second {
			t.Errorf("override %q: %+v, pace %v", written, s.Override, s.Pace)
		}
		h.redis("HDEL", "%control", "pace_override")
		h.redis("HSET", "%control", "pace", written)
		if s := h.snapshot(); s.PaceKnown || s.Pace != 0 || s.DrainKnown && s.Length > 0 {
			t.Errorf("pace %q: known %v, %v", written, s.PaceKnown, s.Pace)
		}
	}
}

func TestInspectOfWhatAHandWroteOver(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.register("c1")
	h.redis("HSET", "%consumers", "odd", "not json")
	h.redis("HSET", "%stats", "accepted", "many")
	s := h.snapshot()
	if len(s.Consumers) != 2 || s.Consumers[1].Name != "odd" || s.Consumers[1].Alive || s.Totals.Accepted != 0 {
		t.Errorf("%+v %+v", s.Consumers, s.Totals)
	}
}

// A delivery after a failure leaves the failure the last error.
func TestInspectLastError(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	parkedNow(h)
	h.take("c1", 2, 1)
	h.delivered("c1", 2, "A")
	if e := h.snapshot().LastError; e == nil || e.Outcome != streamutil.OutcomeFailed || e.OrderID != "A" {
		t.Errorf("%+v", e)
	}
}
