package producer

import (
	"testing"

	"go.uber.org/zap"

	"orderq/internal/bench"
)

// BenchmarkCheck measures the reading and checking of an order of about 400 bytes
// with every field that is checked.
func BenchmarkCheck(b *testing.B) {
	rules, err := newValidator()
	if err != nil {
		b.Fatal(err)
	}
	h := &Handler{cfg: Config{IDField: "order_id"}, rules: rules, log: zap.NewNop()}
	body := bench.AppendOrder(nil, "bench", 1)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, p := h.check(body, new(string)); p != nil {
			b.Fatal(p)
		}
	}
}
