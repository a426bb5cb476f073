package ops

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// TestChangesAskWithTheCount plays the person at the terminal.
func TestChangesAskWithTheCount(t *testing.T) {
	orders := func(o ordersChange) func(context.Context, *change) error {
		return func(ctx context.Context, c *change) error { return c.orders(ctx, o, []string{"A-1", "A-2"}) }
	}
	requeue := func(r requeueing) func(context.Context, *change) error {
		return func(ctx context.Context, c *change) error { return c.requeue(ctx, r) }
	}
	drop := func(ctx context.Context, c *change) error { return c.drop(ctx, []string{"2-1", "2-2", "none"}, false) }
	for _, tt := range []struct {
		name, question string
		do             func(context.Context, *change) error
	}{
		{"cancel", "cancel 2 orders? [y/N] ", orders(cancelling)},
		{"retry", "retry 2 orders? [y/N] ", orders(retrying)},
		{"requeue one", "requeue 1 dead letter? [y/N] ", requeue(requeueing{ids: []string{"2-1", "none"}})},
		{"requeue by error", "requeue 2 dead letters? [y/N] ", requeue(requeueing{cause: "rejected 422"})},
		{"requeue all", "requeue 3 dead letters? [y/N] ", requeue(requeueing{all: true})},
		{"drop", "remove 2 dead letters for good? [y/N] ", drop},
	} {
		for _, answer := range []string{"y\n", "n\n"} {
			t.Run(tt.name+" "+answer[:1], func(t *testing.T) {
				c := atTerminal(t, answer)
				var out, errs bytes.Buffer
				c.out, c.errs = &out, &errs
				err := tt.do(t.Context(), c)
				if !strings.HasPrefix(errs.String(), tt.question) {
					t.Errorf("asks %q, want %q", errs.String(), tt.question)
				}
				if refused := err != nil && err.Error() == "nothing was changed"; refused != (answer == "n\n") || refused && out.Len() > 0 {
					t.Errorf("after %q: %v, and wrote %q", answer, err, out.String())
				}
			})
		}
	}
}

// atTerminal is a change by somebody who gives this answer, to a queue with two
// orders and three dead letters.
func atTerminal(t *testing.T, answer string) *change {
	srv := redistest.Shared(t)
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}})
	t.Cleanup(client.Close)
	name := redistest.QueueName(t)
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Register(t.Context(), streamutil.Identity{Name: "w", Host: "shop-1"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"A-1", "A-2"} {
		if _, err := q.Enqueue(t.Context(), streamutil.NewOrder{ID: id, Body: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range [][2]string{{"2-1", "422"}, {"2-2", "422"}, {"2-3", "400"}} {
		srv.CLI("XADD", "orderq:{"+name+"}:dead", l[0], "id", "D-"+l[0], "body", "{}", "reason", "rejected", "status", l[1], "entry", "1-"+l[0][2:])
	}
	return &change{view: view{in: strings.NewReader(answer), attended: true, format: "table"}, queue: q}
}
