package producer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// BenchmarkSubmit measures new orders of about 400 bytes from the handler to
// Redis and back, without a network before it.
func BenchmarkSubmit(b *testing.B) {
	s := open(b, redistest.Shared(b).Addr(), streamutil.QueueConfig{MaxBacklog: 1 << 40}, producer.Config{MaxRequests: 1 << 10})
	const rest = `,"amount":"199.90","currency":"EUR","customer_id":"C-1001","email":"jane@example.com",` +
		`"phone":"+44 20 7946 0000","created_at":"2026-01-02T03:04:05Z","items":[` +
		`{"sku":"TEA-1","name":"Oolong tea","quantity":2,"price":"49.95"},{"sku":"CUP-7","name":"Cup","quantity":4,"price":25}],` +
		`"note":"leave at the door","address":{"street":"1 High Street","city":"London"}}`
	var n atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := fmt.Sprintf(`{"order_id":"bench-%d"`, n.Add(1)) + rest
			r := httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			if w.Code != http.StatusAccepted {
				b.Errorf("got %d: %s", w.Code, w.Body)
			}
		}
	})
}
