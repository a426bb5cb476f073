package campaign

import (
	"slices"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
)

// TestCluster runs three queues on a cluster of three masters, each on one of
// its own: producer and consumers must find it, with every step they take.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	t.Parallel()
	cluster := redistest.StartCluster(t, 3)
	for _, queue := range spreadQueues(t, cluster, 3) {
		t.Run(queue, func(t *testing.T) {
			t.Parallel()
			const count = 30
			s := newSystem(t, setup{
				Consumers: 2, Pace: "10/s", Lease: 3 * time.Second, Timeout: time.Second, MaxInFlight: 10,
				Queue: queue, Cluster: cluster,
				Respond: func(c partner.Call) partner.Response {
					if c.Attempt == 1 && c.Seq%10 == 0 {
						return partner.Response{Status: 500} // parked, and sent again
					}
					return partner.Response{Delay: 20 * time.Millisecond}
				},
			})
			s.startProducer()
			s.startConsumers()
			shop := newShop(s.url)
			if err := shop.post(t.Context(), count, count/2, 100*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			e := s.finish(t.Context(), shop, 30*time.Second)
			e.Interval = 100 * time.Millisecond
			r := Check(e)
			if t.Log(r); len(r.Violations) > 0 {
				t.Errorf("%d promises broken", len(r.Violations))
			}
			if n := len(e.Accepted); n != count {
				t.Errorf("%d of %d orders accepted", n, count)
			}
		})
	}
}

// spreadQueues names queues whose keys lie on different nodes.
func spreadQueues(t *testing.T, cluster *redistest.Cluster, n int) []string {
	t.Helper()
	var names []string
	var owners []*redistest.Server
	for _, name := range []string{"orders", "invoices", "parcels", "refunds", "letters", "returns", "quotes", "gifts"} {
		owner := cluster.Owner("orderq:{" + name + "}:stream")
		if len(names) < n && !slices.Contains(owners, owner) {
			names, owners = append(names, name), append(owners, owner)
		}
	}
	if len(names) < n {
		t.Fatalf("only %v lie on different nodes", names)
	}
	return names
}
