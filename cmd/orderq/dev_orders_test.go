package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

func TestSampleOrders(t *testing.T) {
	orders, err := sampleOrders(30, "abc123")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, o := range orders {
		var head struct {
			ID string `json:"order_id"`
		}
		if err := json.Unmarshal(o, &head); err != nil {
			t.Fatalf("order %d: %v", i, err)
		}
		if !strings.HasPrefix(head.ID, "demo-abc123-") || seen[head.ID] {
			t.Errorf("order %d has the id %q", i, head.ID)
		}
		seen[head.ID] = true
	}
	if first, again := orders[0], orders[12]; bytes.Equal(first, again) ||
		!bytes.Equal(bytes.Replace(first, []byte("-001"), []byte("-013"), 1), again) {
		t.Error("order 13 is not order 1 with another id")
	}
	if one, other := newRunName(), newRunName(); one == other {
		t.Error("two runs have one name")
	}
}

// TestSampleOrdersAreAccepted sends every sample through the real producer.
func TestSampleOrdersAreAccepted(t *testing.T) {
	t.Parallel()
	q := devQueue(t, redistest.Start(t).Addr())
	h, err := producer.New(q, producer.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	orders, err := sampleOrders(12, newRunName())
	if err != nil {
		t.Fatal(err)
	}
	if err := submitAll(t.Context(), server.URL+"/v1/orders", orders); err != nil {
		t.Fatal(err)
	}
	if s, err := q.Inspect(t.Context()); err != nil || s.Totals != (streamutil.Totals{Accepted: 12}) {
		t.Errorf("after 12 orders: %+v, %v", s.Totals, err)
	}
}

func TestSubmitAll(t *testing.T) {
	tests := []struct {
		name    string
		answers []int
		calls   int
		err     string
	}{
		{"all taken", []int{202, 202}, 2, ""},
		{"tries again", []int{503, 202, 429, 202}, 4, ""},
		{"refused for good", []int{202, 422}, 2, "submit order 2 of 2: 422"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var bodies []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies = append(bodies, string(body))
				w.WriteHeader(tt.answers[len(bodies)-1])
			}))
			defer server.Close()
			err := submitAll(t.Context(), server.URL, [][]byte{[]byte("1"), []byte("2")})
			if (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if len(bodies) != tt.calls || !slices.IsSorted(bodies) {
				t.Errorf("sent %q", bodies)
			}
		})
	}
}

func TestSubmitAllEndsWithItsContext(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close() // nobody answers any more
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := submitAll(ctx, server.URL, [][]byte{[]byte("1")}); err == nil {
		t.Error("an order was submitted to nobody")
	}
}
