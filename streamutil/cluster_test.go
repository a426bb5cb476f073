package streamutil_test

import (
	"fmt"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// Every script and every look runs on a cluster, whichever master a queue is on.
func TestEveryScriptOnACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3)
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: cluster.Addrs()[:1]})
	t.Cleanup(client.Close)
	masters := map[string]bool{}
	for i := range 12 {
		name := fmt.Sprintf("%s-%d", redistest.QueueName(t), i)
		masters[fmt.Sprint(cluster.Owner("orderq:{"+name+"}:stream"))] = true
		q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		h := &harness{
			t: t, q: q, name: name,
			entries: map[string]streamutil.EntryID{}, aliases: map[string]string{}, again: map[string]int{},
		}
		h.everyScript()
	}
	if len(masters) < 2 {
		t.Fatalf("all queues are on one master: nothing is tested")
	}
}

// everyScript is a day in a queue's life.
func (h *harness) everyScript() {
	h.t.Helper()
	for _, order := range []string{"A", "B", "C", "D"} {
		h.submit(order)
	}
	h.expect(h.submit("A"), "duplicate A waiting position=1")
	h.register("c1")
	h.register("c2")
	h.open()
	h.expect(h.take("c1", 1, 1), "taken A#1")
	h.started()
	h.beat("c1", 1)
	h.expect(h.delivered("c1", 1, "A"), "ok delivered")
	h.expect(h.take("c1", 2, 1), "taken B#1")
	h.expect(h.settle("c1", 2, "B", streamutil.OutcomeFailed, time.Hour), "ok parked")
	h.expect(h.retry("B"), "was parked")
	h.expect(h.take("c1", 3, 1), "taken B#2")
	h.expect(h.release("c1", 3, "B"), "released 1")
	h.expect(h.pause(0), "paused")
	h.expect(h.take("c1", 4, 1), "blocked paused unknown")
	h.expect(h.resume(), "ended paused")
	h.expect(h.setPace(2*time.Second, 0), "set")
	h.expect(h.resetPace(), "reset")
	h.expect(h.take("c1", 5, 1), "taken B#2")
	h.expect(h.reclaim("c1", 1), "due 1 dead 0")
	h.expect(h.cancel("B"), "true was parked, sent 2")
	h.expect(h.take("c2", 1, 1), "taken C#1")
	h.expect(h.settle("c2", 1, "C", streamutil.OutcomeRejected, 0), "ok dead")
	h.expect(h.requeue("C"), "requeued C~2")
	h.expect(h.take("c2", 2, 1), "taken D#1")
	h.expect(h.settle("c2", 2, "D", streamutil.OutcomeRejected, 0), "ok dead")
	h.expect(h.drop("D", false), "dropped")
	h.expect(h.sweep(), "found 0")
	h.expect(h.lookup("C"), "C~2 waiting position=1 wait=0s attempts=0")
	h.expect(h.leave("c2"), "left 0")
	if s := h.snapshot(); s.Length != 1 || s.Totals.Accepted != 4 {
		h.t.Fatalf("%+v", s)
	}
	ctx := h.t.Context()
	if list, err := h.q.Pending(ctx, "", streamutil.EntryID{}, 10); err != nil || len(list) != 0 {
		h.t.Fatalf("pending: %v, %v", list, err)
	}
	if came, err := h.q.AwaitEntry(ctx, streamutil.EntryID{}, time.Second); err != nil || !came {
		h.t.Fatalf("await: %v, %v", came, err)
	}
	if err := h.q.Ping(ctx); err != nil {
		h.t.Fatal(err)
	}
}
