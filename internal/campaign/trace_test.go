package campaign

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"orderq/internal/partner"
)

const (
	traceID      = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceParent  = "00-" + traceID + "-00f067aa0ba902b7-01"
	traceBatchID = "0af7651916cd43dd8448eb211c80319c"
)

// traced is the whole of TestTrace: what the lines of each order must have.
type traced struct {
	*system
	ids map[string]string // the trace id of each order; "" for none
}

// TestTrace follows a trace from the browser's request to the partner's call,
// and through the logs of both processes.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := newSystem(t, setup{
		Consumers: 1, Pace: "unlimited", Lease: 5 * time.Second, Timeout: 2 * time.Second, MaxInFlight: 10,
		Respond: func(c partner.Call) partner.Response {
			if c.OrderID == "rejected" {
				return partner.Response{Status: http.StatusUnprocessableEntity}
			}
			return partner.Response{}
		},
	})
	s.startProducer()
	tr := &traced{system: s, ids: map[string]string{}}
	tr.post("delivered", traceID, traceParent)
	tr.post("rejected", traceID, traceParent)
	tr.post("untraced", "")
	for i, invalid := range []string{ // by W3C Trace Context; they are as if they were not there
		"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01",
		"00-" + traceID + "-0000000000000000-01",
		"ff-" + traceID + "-00f067aa0ba902b7-01",
		strings.ToUpper(traceParent),
		traceParent + "-extra",
		traceParent[:54],
		`00-4bf92f3577b34da6a3ce929d0e0e473"-00f067aa0ba902b7-01`,
	} {
		tr.post(fmt.Sprintf("invalid-%d", i), "", invalid)
	}
	tr.post("twice", "", traceParent, traceParent)
	tr.batch("batched-1", "batched-2")
	// What a hand wrote into the stream need not be a trace.
	tr.byHand("by-hand", strings.Repeat("\xff", 55))
	s.startConsumers()
	await(t, 10*time.Second, "everything is sent", func() bool {
		snap, ok := s.inspect()
		return ok && snap.Length == 0
	})
	s.redis.Kill()
	tr.send("/v1/orders", http.StatusServiceUnavailable, `{"order_id":"refused"}`, traceParent)
	s.stopConsumers()
	tr.checkCalls()
	tr.checkLogs()
}

func (tr *traced) post(id, traceID string, headers ...string) {
	tr.t.Helper()
	tr.ids[id] = traceID
	tr.send("/v1/orders", http.StatusAccepted, fmt.Sprintf(`{"order_id":%q}`, id), headers...)
}

func (tr *traced) batch(ids ...string) {
	tr.t.Helper()
	var orders []string
	for _, id := range ids {
		tr.ids[id] = traceBatchID
		orders = append(orders, fmt.Sprintf(`{"order_id":%q}`, id))
	}
	tr.send("/v1/orders:batch", http.StatusOK, "["+strings.Join(orders, ",")+"]", "00-"+traceBatchID+"-b7ad6b7169203331-00")
}

func (tr *traced) byHand(id, trace string) {
	tr.t.Helper()
	tr.ids[id] = ""
	tr.redis.CLI("XADD", "orderq:{campaign}:stream", "*", "id", id, "body", `{}`, "seq", "0", "trace", trace)
}

func (tr *traced) send(path string, want int, body string, traceParents ...string) {
	tr.t.Helper()
	req, err := http.NewRequestWithContext(tr.t.Context(), http.MethodPost, tr.url+path, strings.NewReader(body))
	if err != nil {
		tr.t.Fatal(err)
	}
	req.Header["Traceparent"] = traceParents
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tr.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != want {
		tr.t.Fatalf("POST %s %s: %s, want %d", path, body, resp.Status, want)
	}
}

// checkCalls wants every order at the partner once, with its own trace.
func (tr *traced) checkCalls() {
	tr.t.Helper()
	calls := map[string]string{}
	for _, c := range tr.partner.Calls() {
		calls[c.OrderID] = c.Header.Get("traceparent")
	}
	for id, trace := range tr.ids {
		got, called := calls[id]
		want := map[string]string{traceID: traceParent, traceBatchID: "00-" + traceBatchID + "-b7ad6b7169203331-00"}[trace]
		if !called || got != want && id != "by-hand" {
			tr.t.Errorf("%s: called %t with traceparent %q, want %q", id, called, got, want)
		}
	}
}

// checkLogs wants the trace id in each line about an order, and in no other.
func (tr *traced) checkLogs() {
	tr.t.Helper()
	lines := map[string]int{}
	for _, p := range []*process{tr.producer, tr.consumers[0]} {
		for _, line := range tr.log(p) {
			msg, got := fmt.Sprint(line["msg"]), line["trace_id"]
			lines[msg]++
			var want any
			if id := tr.ids[fmt.Sprint(line["order_id"])]; id != "" {
				want = id
			}
			switch msg {
			case "batch taken":
				want = traceBatchID
			case "request failed: unavailable":
				want = traceID
			}
			if got != want {
				tr.t.Errorf("%s: trace_id %v, want %v: %v", p.name, got, want, line)
			}
		}
	}
	n := len(tr.ids)
	for msg, want := range map[string]int{
		"order accepted": n - 3, "batch taken": 1, "request failed: unavailable": 1,
		"order delivered": n - 1, "order is dead; a person must look at it": 1,
	} {
		if lines[msg] != want {
			tr.t.Errorf("%d lines %q, want %d", lines[msg], msg, want)
		}
	}
}

// log gives the fields of what a process has logged.
func (tr *traced) log(p *process) []map[string]any {
	tr.t.Helper()
	text, err := os.ReadFile(p.log)
	p.must("read log of", err)
	var lines []map[string]any
	for line := range strings.Lines(string(text)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			tr.t.Fatalf("%s wrote %q: %v", p.name, line, err)
		}
		lines = append(lines, fields)
	}
	return lines
}
