package ops_test

import (
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestShow(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "show A-1", code: 3, err: []string{"A-1 is not found in queue " + d.queue + ": it was never accepted, or it was finished longer than the retention ago"}})
	d.orders()
	letter := d.letters()[0]
	for _, tt := range []struct {
		line string
		out  []string
	}{
		{"show waiting-2", []string{"order\twaiting-2\nstate\twaiting\nnext\twaits for its place 2, about ", " UTC\nentry\t", "accepted\t", " ago)\nattempts\t0\n"}},
		{"show parked", []string{
			"state\tparked\n", "next\twaits for its next attempt, due in 59 min", "; orderq retry parked sends it at once\n", "attempts\t1\n",
			"last taken\t", "last answer\tfailed 500: try later\nlog\t", " UTC  order parked, attempt 1: failed, answer 500; now parked, by w\n",
		}},
		{"show in-flight", []string{"state\tin_flight\nnext\twaits for the partner's answer\n", "held by\tw, alive\n"}},
		{"show delivered", []string{"state\tdelivered\nnext\tnothing: the partner has it\n", "finished\t", "last answer\tdelivered 200\n", "order delivered, attempt 1: delivered, answer 200, by w\n"}},
		{"show cancelled", []string{"state\tcancelled\nnext\tnothing: it was cancelled", "attempts\t0\n", "log\t", "  order cancelled cancelled\n"}},
		{"show dead", []string{
			"state\tdead: rejected 422\nnext\tdead since ", ", rejected 422: orderq dead requeue dead sends it again, orderq dead drop dead gives it up\n",
			"finished\t", "dead letter\t" + letter.ID.String(), "log\t", "order dead is dead: rejected\n\t", "order dead, attempt 1: rejected, answer 422; now dead, by w\n",
		}},
		{"show " + letter.Entry.String(), []string{"order\tdead\n"}},
		{"show waiting --body", []string{"body\t" + `{"id":"waiting"}` + "\n"}},
	} {
		d.check(typed{line: tt.line, out: tt.out})
	}
	d.check(typed{line: "show", code: 2, err: []string{"want one id"}})
	d.check(typed{line: "show A B", code: 2, err: []string{"want one id"}})
	if out := d.must("show", "waiting"); strings.Contains(out, "body") {
		t.Errorf("a body that nobody asked for:\n%s", out)
	}
}

func TestShowSaysWhatOperatorsDid(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	d.must("dead", "requeue", "dead", "--yes", "--reason", "partner knows it now")
	d.check(typed{line: "show dead", out: []string{
		"state\twaiting\n", "attempts\t0, and 1 before it was sent again\n", "order dead is dead: rejected\n",
		"dead order dead sent again as ", ", by anna@shop-1: partner knows it now\n",
	}})
	d.must("pause", "--reason", "big day")
	d.check(typed{line: "show waiting", out: []string{"waits for its place 1; but the queue is paused by anna@shop-1: big day; orderq resume goes on\n"}})
}

func TestShowWithADeadConsumer(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	d.submit("A")
	w.next()
	redistest.Shared(t).CLI("HSET", "orderq:{"+d.queue+"}:consumers", "w", `{"beat":1,"k":1,"pace":1,"lease":1000,"seen":0}`)
	d.check(typed{line: "show A", out: []string{"next\twaits for the lease of its dead consumer; then it is taken back\n", "held by\tw, DEAD\n"}})
	d.check(typed{line: "list", out: []string{"the lease of its dead consumer"}})
}

func TestConsumers(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "consumers", out: []string{"NAME\tHOST\tPID\tVERSION\tPACE\tSTARTED\tBEAT\tALIVE\tIN FLIGHT\tTROUBLE\n"}})
	d.submit("A")
	d.take("c1")
	srv, key := redistest.Shared(t), "orderq:{"+d.queue+"}:"
	srv.CLI("HSET", key+"consumers", "c0", `{"host":"shop-9","pid":7,"version":"1.2","beat":1,"k":1,"pace":2000000,"lease":15000000,"seen":5000,"start":4000}`)
	srv.CLI("HSET", key+"consumers", "junk", "no consumer")
	d.check(typed{line: "consumers --no-headers", out: []string{
		"c0\tshop-9\t7\t1.2\t30/m\t1970-01-01 00:00:04 UTC\t", " ago\tno\t0\tforgotten at any moment\n",
		"c1\tshop-1\t-\t-\t1/s\t", " ago\tyes\t1\t-\n",
		"junk\t?\t-\t-\t-\t-\t-\tno\t0\tforgotten at any moment\n",
	}})
	if _, err := d.q.Heartbeat(t.Context(), "c1", 1, streamutil.Every(time.Second), "replicas"); err != nil {
		t.Fatal(err)
	}
	d.check(typed{line: "consumers", out: []string{"yes\t1\treplicas\n"}})
	srv.CLI("HDEL", key+"consumers", "c1", "junk")
	d.check(typed{line: "consumers --no-headers", out: []string{
		"c0\tshop-9", "\tforgotten 15 s after a consumer starts\n",
		"c1\t-\t-\t-\t-\t-\t-\tno\t1\tnot registered; its 1 order taken back a lease after a consumer starts\n",
	}})
}
