package streamutil_test

import (
	"testing"
	"time"

	"orderq/streamutil"
)

func TestPause(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "until somebody resumes",
		given:  ready,
		do:     func(h *harness) string { return h.pause(0) + ", " + h.take("c1", 1, 1) },
		answer: "paused, blocked paused unknown",
		changes: []string{
			"+ control pause_who = ann@host",
			"+ control pause_why = test",
			"+ control paused = paused",
			"+ log 001 = pause who=ann@host why=test ms=0",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
		},
	}, {
		name:   "for an hour, before any consumer came",
		do:     func(h *harness) string { return h.pause(time.Hour) },
		answer: "paused",
		changes: []string{
			"+ control pause_until = set",
			"+ control pause_who = ann@host",
			"+ control pause_why = test",
			"+ control paused = paused",
			"+ log 001 = pause who=ann@host why=test ms=3600000",
		},
	}, {
		name: "for good, where there was one for an hour",
		given: func(h *harness) {
			ready(h)
			h.pause(time.Hour)
		},
		do:     func(h *harness) string { return h.pause(0) },
		answer: "paused",
		changes: []string{
			"+ log 002 = pause who=ann@host why=test ms=0",
			"- control pause_until = set",
		},
	}, {
		name: "it ends by itself",
		given: func(h *harness) {
			ready(h)
			h.pause(time.Hour)
			h.anHourPasses()
		},
		do:     func(h *harness) string { return h.take("c1", 1, 1)[:9] },
		answer: "taken A#1",
		changes: []string{
			"+ pace holder = c1",
			"+ pace last_start = 200000",
			"+ pending A = c1",
			"+ record A consumer = c1",
			"+ record A take = 1",
			"+ record A taken = set",
			"consumer c1: beat=0 k=0 pace=1s -> beat=0 k=1 pace=1s",
			"pace slot: 0 -> 1",
			"record A attempts: 0 -> 1",
			"record A state: waiting -> in_flight",
			"stats taken: 0 -> 1",
		},
	}})
}

func TestResume(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "nothing is in force",
		given:  ready,
		do:     func(h *harness) string { return h.resume() },
		answer: "ended", // and no line of the log
	}, {
		name: "a pause",
		given: func(h *harness) {
			ready(h)
			h.pause(time.Hour)
		},
		do:     func(h *harness) string { return h.resume() },
		answer: "ended paused",
		changes: []string{
			"+ log 002 = resume who=ann@host why=test",
			"- control pause_until = set",
			"- control pause_who = ann@host",
			"- control pause_why = test",
			"- control paused = paused",
		},
	}, {
		name: "a hold and the breaker, and what the outage parked is due",
		given: func(h *harness) {
			h.outage("A", "A")
			h.k++
			h.take("c1", h.k, 1)
			h.settle("c1", h.k, "A", streamutil.OutcomeUnavailable, time.Minute)
			h.redis("HSET", "%control", "hold_until", h.inQueueTime(time.Hour))
		},
		do:     func(h *harness) string { return h.resume() },
		answer: "ended hold breaker",
		changes: []string{
			"+ log 005 = breaker state=closed",
			"+ log 006 = resume who=ann@host why=test",
			"- control alone = A",
			"- control breaker = 0",
			"- control breaker_until = set",
			"- control failures = 3",
			"- control hold_until = set",
			"- control suspect = A",
			"- control suspicion = 3",
			"due A: 1s -> now",
		},
	}})
}

func TestPaceOverride(t *testing.T) {
	runCases(t, []scriptCase{{
		name:   "until it is reset",
		given:  ready,
		do:     func(h *harness) string { return h.setPace(50*time.Millisecond, 0) + ", " + h.beat("c1", 0) },
		answer: "set, epoch 1 open slot 0 granted wait=300ms pace=50ms; 0 due; c1=0",
		changes: []string{
			"+ control pace_override = 50000",
			"+ control pace_who = ann@host",
			"+ control pace_why = test",
			"+ log 001 = pace who=ann@host why=test ms=0 interval=50000",
		},
	}, {
		name: "for an hour, and it ends by itself",
		given: func(h *harness) {
			ready(h)
			h.setPace(0, time.Hour)
			h.expect(h.beat("c1", 0), "epoch 1 open slot 0 granted wait=300ms pace=0s; 0 due; c1=0")
			h.anHourPasses()
		},
		do:     func(h *harness) string { return h.beat("c1", 0) },
		answer: "epoch 1 open slot 0 granted wait=1.2s pace=1s; 0 due; c1=0",
	}, {
		name: "reset",
		given: func(h *harness) {
			ready(h)
			h.setPace(time.Minute, time.Hour)
		},
		do:     func(h *harness) string { return h.resetPace() + ", " + h.beat("c1", 0) },
		answer: "reset, epoch 1 open slot 0 granted wait=1.2s pace=1s; 0 due; c1=0",
		changes: []string{
			"+ log 002 = pace who=ann@host why=test ms=0 interval=-1",
			"- control pace_override = 60000000",
			"- control pace_until = set",
			"- control pace_who = ann@host",
			"- control pace_why = test",
		},
	}, {
		name:   "reset of nothing",
		given:  ready,
		do:     func(h *harness) string { return h.resetPace() },
		answer: "reset", // and no line of the log
	}, {
		name: "reset of what is over",
		given: func(h *harness) {
			ready(h)
			h.setPace(time.Minute, time.Hour)
			h.redis("HSET", "%control", "pace_until", h.inQueueTime(-time.Minute))
		},
		do:     func(h *harness) string { return h.resetPace() },
		answer: "reset",
		changes: []string{
			"- control pace_override = 60000000",
			"- control pace_until = set",
			"- control pace_who = ann@host",
			"- control pace_why = test",
		},
	}, {
		name: "before any consumer came: estimates know it",
		given: func(h *harness) {
			h.setPace(time.Minute, 0)
			h.submit("A")
		},
		do:     func(h *harness) string { return h.submit("A") },
		answer: "duplicate A waiting position=1 wait=0s",
	}, {
		name: "a pace after none: whoever asks waits for calls that may have begun",
		given: func(h *harness) {
			h.registerAt("c1", 0)
			h.submit("A")
			h.submit("B")
			h.take("c1", 1, 1)
			h.setPace(time.Second, 0)
		},
		do:     func(h *harness) string { return h.take("c1", 2, 1, "A") },
		answer: "told epoch 1 open slot 1 granted wait=1.2s pace=1s",
		changes: []string{
			"+ pace last_start = 200000",
			"consumer c1: beat=0 k=1 pace=0s -> beat=0 k=2 pace=0s",
			"pace slot: 0 -> 1",
			"pace state: free -> granted",
		},
	}})
}

func TestRetry(t *testing.T) {
	runCases(t, []scriptCase{{
		name: "a parked one",
		given: func(h *harness) {
			inFlight(h)
			h.k = 1
			h.settleBy("A", streamutil.OutcomeUncertain, time.Hour)
		},
		do:     func(h *harness) string { return h.retry("A") },
		answer: "was parked",
		changes: []string{
			"+ log 002 = retry order=A who=ann@host why=test",
			"- record A not_before = set",
			"due A: 1h0m0s -> now",
		},
	}, {
		name:   "a waiting one",
		given:  ready,
		do:     func(h *harness) string { return h.retry("A") },
		answer: "was waiting",
	}, {
		name:   "one in flight",
		given:  inFlight,
		do:     func(h *harness) string { return h.retry("A") },
		answer: "was in_flight",
	}, {
		name:   "one that nobody knows",
		given:  ready,
		do:     func(h *harness) string { return h.retry("X") },
		answer: "ErrNotFound",
	}})
}

func TestCancel(t *testing.T) {
	cancelled := func(more ...string) []string {
		return append(more,
			"+ record A expires = 72h0m0s",
			"+ record A finished = set",
			"+ stats cancelled = 1",
		)
	}
	runCases(t, []scriptCase{{
		name:   "a waiting one",
		given:  ready,
		do:     func(h *harness) string { return h.cancel("A") },
		answer: "true was waiting, sent 0",
		changes: append(cancelled("+ log 001 = cancel order=A attempt=0 who=ann@host why=test"),
			"+ stats skipped = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A state: waiting -> cancelled"),
	}, {
		name:   "a parked one, which the partner may have",
		given:  parkedNow,
		do:     func(h *harness) string { return h.cancel("A") },
		answer: "true was parked, sent 1",
		changes: append(cancelled("+ log 002 = cancel order=A attempt=1 who=ann@host why=test"),
			"- due A = now",
			"- pending A = parked",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A state: parked -> cancelled"),
	}, {
		name: "before any consumer came",
		given: func(h *harness) {
			h.submit("A")
		},
		do:     func(h *harness) string { return h.cancel("A") },
		answer: "true was waiting, sent 0",
		changes: append(cancelled("+ log 001 = cancel order=A attempt=0 who=ann@host why=test"),
			"+ stats skipped = 0",
			"+ stats taken = 1",
			`- stream A = id=A body={"of":"A"} seq=1`,
			"record A state: waiting -> cancelled"),
	}, {
		name:   "one in flight",
		given:  inFlight,
		do:     func(h *harness) string { return h.cancel("A") },
		answer: "false was in_flight, sent 1",
	}, {
		name: "one that is cancelled",
		given: func(h *harness) {
			ready(h)
			h.cancel("A")
		},
		do:     func(h *harness) string { return h.cancel("A") + ", " + h.submit("A") },
		answer: "false was cancelled, sent 0, duplicate A cancelled position=0",
	}, {
		name: "one that turns out to have been delivered",
		given: func(h *harness) {
			parkedNow(h)
			h.cancel("A")
		},
		do:     func(h *harness) string { return h.delivered("c1", 1, "A") },
		answer: "ok delivered",
		changes: []string{
			"+ log 003 = attempt order=A entry=A consumer=c1 outcome=delivered state=delivered status=200 attempt=1",
			"+ stats delivered = 1",
			"- control failures = 1",
			"- control suspect = A",
			"- control suspicion = 1",
			"record A answer: answer -> thanks",
			"record A outcome: failed -> delivered",
			"record A state: cancelled -> delivered",
			"record A status: 500 -> 200",
			"stats cancelled: 1 -> 0",
		},
	}, {
		name:   "one that nobody knows",
		do:     func(h *harness) string { return h.cancel("X") },
		answer: "ErrNotFound",
	}})
}
