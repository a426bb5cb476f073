package streamutil_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

func TestKnownOrders(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, order := range []string{"A", "B", "deleted", "purged", "cancelled"} {
		h.submit(order)
	}
	h.redis("XDEL", "%stream", h.entries["deleted"].String())
	h.purge("purged")
	h.cancel("cancelled")
	h.redis("SET", h.key("order:junk"), "x")
	var orders []streamutil.NewOrder
	for _, order := range []string{"A", "B", "deleted", "purged", "cancelled", "junk", "unknown"} {
		orders = append(orders, streamutil.NewOrder{ID: order, Body: []byte(`{"of":"` + order + `"}`)})
	}
	orders[1].Body = []byte("another")
	got, err := h.q.Known(t.Context(), orders)
	want := []streamutil.Known{
		{State: streamutil.Waiting},
		{State: streamutil.Waiting, Conflict: true},
		{},
		{State: streamutil.Cancelled, Purged: true},
		{State: streamutil.Cancelled},
		{Conflict: true},
		{},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
