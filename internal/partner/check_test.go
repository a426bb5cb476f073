package partner

import (
	"strings"
	"testing"
	"time"
)

const ms = int64(time.Millisecond)

// call is a call for an order, delivered, from and to milliseconds.
func call(id string, from, to int64) Call {
	return Call{OrderID: id, Key: id, BodySHA: "of " + id, Arrived: from * ms, Ended: to * ms, Status: 200}
}

func TestCheck(t *testing.T) {
	otherBody := call("a", 20, 25)
	otherBody.BodySHA = "other"
	otherKey := call("a", 20, 25)
	otherKey.Key = "b"
	noID := call("", 1, 2)
	stamped := call("b", 25, 26) // sent early, came late
	stamped.Sent = 5 * ms
	tests := []struct {
		name     string
		calls    []Call
		interval time.Duration
		want     []string // a part of each line of the error, in order
	}{
		{"nothing", nil, 0, nil},
		{"one after the other", []Call{call("a", 1, 5), call("b", 11, 30), call("a", 21, 25)}, 10 * time.Millisecond, nil},
		{"two orders at once", []Call{call("a", 1, 50), call("b", 2, 50)}, 0, nil},
		{"one order at once", []Call{call("a", 1, 50), call("a", 49, 60)}, 0, []string{"at once: order a"}},
		{"in any order of the list", []Call{call("a", 49, 60), call("a", 1, 50)}, 0, []string{"at once: order a"}},
		{"within an earlier, longer one", []Call{call("a", 1, 90), call("a", 95, 96), call("a", 91, 99)}, 0, []string{"at once"}},
		{"after one that still runs", []Call{call("a", 1, 0), call("a", 500, 600)}, 0, []string{"at once"}},
		{"while the last one runs", []Call{call("a", 1, 2), call("a", 500, 0)}, 0, nil},
		{"too close", []Call{call("a", 1, 2), call("b", 10, 12)}, 10 * time.Millisecond, []string{"too close: order a"}},
		{"close by the sender's stamp", []Call{call("a", 1, 2), stamped}, 10 * time.Millisecond, []string{"too close"}},
		{"another body", []Call{call("a", 1, 2), otherBody}, 0, []string{"another key or body"}},
		{"another key", []Call{call("a", 1, 2), otherKey}, 0, []string{"another key or body", `order id "a" with key "b"`}},
		{"no order id", []Call{noID}, 0, []string{`order id ""`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Check(tt.calls, tt.interval).Err()
			var lines []string
			if err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) != len(tt.want) {
				t.Fatalf("got %d faults, want %d:\n%v", len(lines), len(tt.want), err)
			}
			for i, want := range tt.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("fault %d is %q, want it to contain %q", i, lines[i], want)
				}
			}
		})
	}
}

func TestCheckCounts(t *testing.T) {
	failed := call("b", 30, 31)
	failed.Status = 500
	r := Check([]Call{call("a", 1, 2), call("a", 11, 12), failed, call("c", 40, 41)}, 0)
	if r.Calls != 4 || r.Orders != 3 || r.Accepted != 2 || r.Repeated != 1 {
		t.Errorf("got %d calls, %d orders, %d accepted, %d repeated", r.Calls, r.Orders, r.Accepted, r.Repeated)
	}
	if got := Quantile(r.Gaps, 0); got != 10*time.Millisecond {
		t.Errorf("least gap %v", got)
	}
	if got := Quantile(r.Gaps, 0.5); got != 10*time.Millisecond {
		t.Errorf("median gap %v of %v", got, r.Gaps)
	}
	if got := Quantile(r.Gaps, 1); got != 19*time.Millisecond {
		t.Errorf("greatest gap %v", got)
	}
	if Quantile(nil, 0.5) != 0 {
		t.Error("the median of nothing is not 0")
	}
}
