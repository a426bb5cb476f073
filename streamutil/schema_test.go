package streamutil_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

// A queue that a newer program has changed is left as it is, whatever is asked.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.register("c1")
	h.submit("A")
	h.take("c1", 1, 1)
	h.redis("HSET", "%control", "schema", "2")
	before := h.facts()
	ctx, entry := t.Context(), h.entries["A"]
	for name, do := range map[string]func(context.Context) error{
		"enqueue": func(ctx context.Context) error {
			_, err := h.q.Enqueue(ctx, streamutil.NewOrder{ID: "B", Body: []byte("{}")})
			return err
		},
		"batch": func(ctx context.Context) error {
			return h.q.EnqueueBatch(ctx, []streamutil.NewOrder{{ID: "B", Body: []byte("{}")}})[0].Err
		},
		"lookup": func(ctx context.Context) error { _, err := h.q.Lookup(ctx, "A"); return err },
		"register": func(ctx context.Context) error {
			_, err := h.q.Register(ctx, streamutil.Identity{Name: "c2", Pace: streamutil.Every(time.Second), Lease: time.Second})
			return err
		},
		"heartbeat": func(ctx context.Context) error {
			_, err := h.q.Heartbeat(ctx, "c1", 1, streamutil.Every(time.Second), "")
			return err
		},
		"take": func(ctx context.Context) error {
			_, err := h.q.Take(ctx, streamutil.Take{Consumer: "c1", K: 2, N: 1})
			return err
		},
		"settle": func(ctx context.Context) error {
			_, err := h.q.Settle(ctx, streamutil.Settlement{Consumer: "c1", K: 1, Entry: entry, OrderID: "A", Outcome: streamutil.OutcomeDelivered})
			return err
		},
		"release": func(ctx context.Context) error { _, err := h.q.Release(ctx, "c1", 1, entry); return err },
		"pause": func(ctx context.Context) error {
			return h.q.Pause(ctx, 0, streamutil.Act{Who: "me", Why: "test"})
		},
		"ping":    func(ctx context.Context) error { return h.q.Ping(ctx) },
		"inspect": func(ctx context.Context) error { _, err := h.q.Inspect(ctx); return err },
		"cancel": func(ctx context.Context) error {
			_, err := h.q.Cancel(ctx, "A", streamutil.Act{Who: "me", Why: "test"})
			return err
		},
	} {
		err := do(ctx)
		if !errors.Is(err, streamutil.ErrSchema) || !errors.Is(err, streamutil.ErrUnavailable) || streamutil.ErrorKind(err) != "schema" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, h.facts()); diff != "" {
		t.Errorf("something changed (-want +got):\n%s", diff)
	}
	h.redis("HSET", "%control", "schema", "1")
	h.expect(h.delivered("c1", 1, "A"), "ok delivered")
}
