package producer_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// A log says which order and which request, why a 5xx, and nothing a customer
// wrote.
func TestLog(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	cfg := producer.Config{Logger: zap.New(core)}
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{MaxBacklog: 1}, cfg)
	s.mustPost(`{"order_id":"A-1","note":"c4n4ry"}`, "X-Request-Id", "r1")
	s.post(`{"order_id":"A-1","note":"other c4n4ry"}`)
	s.post(`{"order_id":"A-2","email":"c4n4ry"}`)
	s.post(`{"order_id":"A-2","note":"c4n4ry"}`, "X-Request-Id", "r2")

	entries := logs.AllUntimed()
	if len(entries) != 2 {
		t.Fatalf("got %d lines, want one for the order taken and one for the full queue: %v", len(entries), entries)
	}
	taken, full := entries[0], entries[1]
	if fields := taken.ContextMap(); taken.Level != zapcore.DebugLevel || fields["order_id"] != "A-1" || fields["request_id"] != "r1" {
		t.Errorf("the order taken: %v %v", taken.Level, fields)
	}
	if fields := full.ContextMap(); full.Level != zapcore.WarnLevel || full.Message != "request failed: full" || fields["request_id"] != "r2" || fields["error"] == nil {
		t.Errorf("the full queue: %v %v", full.Level, fields)
	}
	if all := fmt.Sprint(taken.ContextMap(), full.ContextMap()); strings.Contains(all, "c4n4ry") {
		t.Errorf("a value is in the log: %s", all)
	}
}
