package streamutil_test

import (
	"errors"
	"testing"
	"time"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// The reply of each script in turn is eaten: Redis did the work and the client
// does not know. It then does what a consumer or producer does, and nothing is
// stranded, nothing doubled.
func TestLostReplies(t *testing.T) {
	for _, c := range []struct {
		name  string
		given func(h *harness)
		call  func(h *harness) string // answered with an error
		then  func(h *harness)        // what the caller does about it
	}{{
		name: "enqueue",
		call: func(h *harness) string { return h.submit("A") },
		then: func(h *harness) {
			r, err := h.q.Enqueue(h.t.Context(), streamutil.NewOrder{ID: "A", Body: []byte(`{"of":"A"}`)})
			if err != nil || !r.Duplicate || r.State != streamutil.Waiting {
				h.t.Fatalf("%+v %v", r, err)
			}
			h.know("A", r.Entry.String())
			h.register("c1")
			h.expect(h.take("c1", 1, 5), "taken A#1")
		},
	}, {
		name: "register",
		call: func(h *harness) string { return h.register("c1") },
		then: func(h *harness) {
			h.expect(h.register("c1"), "epoch 1 open slot 0 granted wait=1.2s pace=1s")
			h.submit("A")
			h.expect(h.take("c1", 1, 1), "taken A#1")
		},
	}, {
		name:  "heartbeat",
		given: ready,
		call:  func(h *harness) string { return h.beat("c1", 1) },
		then: func(h *harness) {
			h.expect(h.reclaim("c1", 0), "alive") // it did count
			h.beat("c1", 2)
			h.expect(h.take("c1", 1, 1), "taken A#1")
		},
	}, {
		name:  "take",
		given: ready,
		call:  func(h *harness) string { return h.take("c1", 1, 1) },
		then: func(h *harness) {
			h.expect(h.take("c1", 2, 0), "settled") // at once, without a slot
			h.expect(h.take("c1", 3, 1), "taken A#1")
			h.expect(h.delivered("c1", 3, "A"), "ok delivered")
			h.expect(h.take("c1", 4, 5), "taken B#1")
		},
	}, {
		name:  "started",
		given: inFlight,
		call:  func(h *harness) string { return h.started() },
		then: func(h *harness) {
			h.expect(h.started(), "epoch 1 open slot 1 started wait=1.2s pace=1s")
		},
	}, {
		name:  "settle, delivered",
		given: inFlight,
		call:  func(h *harness) string { return h.delivered("c1", 1, "A") },
		then: func(h *harness) {
			h.expect(h.delivered("c1", 1, "A"), "ok delivered")
			if s := h.snapshot(); s.Totals.Delivered != 1 || s.Length != 1 {
				h.t.Fatalf("%+v", s)
			}
		},
	}, {
		name:  "settle, failed",
		given: inFlight,
		call:  func(h *harness) string { return h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0) },
		then: func(h *harness) {
			h.expect(h.settle("c1", 1, "A", streamutil.OutcomeFailed, 0), "stray parked")
			h.expect(h.take("c1", 2, 1), "taken A#2")
		},
	}, {
		name:  "release",
		given: inFlight,
		call:  func(h *harness) string { return h.release("c1", 1, "A") },
		then: func(h *harness) {
			h.expect(h.release("c1", 1, "A"), "released 0")
			h.expect(h.take("c1", 2, 1), "taken A#1") // the attempt counted back once
		},
	}, {
		name:  "reclaim",
		given: func(h *harness) { inFlight(h); h.register("c2") },
		call:  func(h *harness) string { return h.reclaim("c1", 0) },
		then: func(h *harness) {
			h.expect(h.reclaim("c1", 0), "alive")
			if deaths := h.facts()["record A deaths"]; deaths != "1" {
				h.t.Fatalf("%s deaths", deaths)
			}
			h.expect(h.take("c2", 1, 1), "taken A#2")
		},
	}, {
		name: "open",
		given: func(h *harness) {
			ready(h)
			h.redis("HSET", "%pace", "server", "another")
			h.beat("c1", 1)
		},
		call: func(h *harness) string { return h.open() },
		then: func(h *harness) {
			h.expect(h.open(), "epoch 2 open slot 0 granted wait=1.2s pace=1s")
			h.expect(h.take("c1", 1, 1), "taken A#1")
		},
	}, {
		name:  "leave",
		given: inFlight,
		call:  func(h *harness) string { return h.leave("c1") },
		then: func(h *harness) {
			h.expect(h.leave("c1"), "left 1")
			h.register("c2")
			h.expect(h.beat("c2", 1), "epoch 1 open slot 1 granted wait=1.2s pace=1s; 0 due; c1=-1 c2=1")
			h.expect(h.reclaim("c1", -1), "due 1 dead 0")
			h.expect(h.take("c2", 1, 1), "taken A#2")
		},
	}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Shared(t)
			proxy := faultconn.Listen(t, srv.Addr())
			h := harnessOn(t, srv, streamutil.ClientConfig{Addresses: []string{proxy.Addr()}}, streamutil.QueueConfig{})
			if c.given == nil {
				c.given = func(*harness) {}
			}
			// Redis has seen the script before, or the lost reply is its NOSCRIPT.
			other := newHarness(t)
			c.given(other)
			c.call(other)

			c.given(h)
			before := h.facts()
			struck := proxy.EatReply(faultconn.Command("EVALSHA", "EVAL"))
			h.expect(c.call(h), "ErrUnavailable")
			<-struck
			if changes := before.changes(h.facts()); len(changes) == 0 {
				t.Fatal("the script did not run: nothing is tested")
			}
			c.then(h)
		})
	}
}

// A command that never reached Redis: the same error, and again is all there is to do.
func TestLostRequest(t *testing.T) {
	t.Parallel()
	srv := redistest.Shared(t)
	proxy := faultconn.Listen(t, srv.Addr())
	h := harnessOn(t, srv, streamutil.ClientConfig{Addresses: []string{proxy.Addr()}}, streamutil.QueueConfig{})
	h.register("c1")
	struck := proxy.CutBefore(faultconn.Command("EVALSHA", "EVAL"))
	_, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "A", Body: []byte("{}")})
	<-struck
	if !errors.Is(err, streamutil.ErrUnavailable) || streamutil.ErrorKind(err) != "connection" {
		t.Fatalf("%v of kind %q", err, streamutil.ErrorKind(err))
	}
	redistest.Eventually(t, "the client is connected again", func() bool {
		r, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "A", Body: []byte("{}")})
		return err == nil && !r.Duplicate
	})
}

// A reply that comes too late is no reply: the call ends in its time.
func TestReplyTooLate(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	ready(h)
	srv.Stop()
	began := time.Now()
	_, err := h.q.Take(t.Context(), streamutil.Take{Consumer: "c1", K: 1, N: 1, Epoch: h.slot.Epoch})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if kind := streamutil.ErrorKind(err); kind != "timeout" || !errors.Is(err, streamutil.ErrUnavailable) {
		t.Errorf("%v of kind %q", err, kind)
	}
	srv.Continue()
	// What the frozen server had in its buffer runs when it wakes, or not at all.
	redistest.Eventually(t, "Redis answers", func() bool { return h.q.Ping(t.Context()) == nil })
	h.expect(h.take("c1", 2, 0), "settled")
	got := h.take("c1", 3, 1)
	if got[:6] == "told e" {
		got = h.take("c1", 4, 1)
	}
	if got != "taken A#1" && got != "taken A#2" {
		t.Errorf("answered %q", got)
	}
}
