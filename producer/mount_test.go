package producer_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// In a server of one's own the handler may be anywhere.
func TestMountedUnderAPrefix(t *testing.T) {
	s := usual(t)
	mux := http.NewServeMux()
	mux.Handle("/shop/", http.StripPrefix("/shop", s.handler))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL + "/shop"
	r := s.post(order)
	if got := r.Header.Get("Location"); r.StatusCode != http.StatusAccepted || got != "/shop/v1/orders/A-1" {
		t.Errorf("got %d with Location %q", r.StatusCode, got)
	}
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	s := usual(t)
	for _, path := range []string{"//v1/orders", "/v1//orders", "/v1/./orders", "/x/../v1/orders"} {
		r := s.send(http.MethodPost, path, strings.NewReader(order), "Content-Type", array)
		if r.StatusCode != http.StatusNotFound || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d %s", path, r.StatusCode, r.body)
		}
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	s, _ := guarded(t)
	r := s.get("/openapi.yaml")
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/yaml" || !strings.HasPrefix(string(r.body), "openapi: 3.1") ||
		r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %d %v", r.StatusCode, r.Header)
	}
	if again := s.send(http.MethodGet, "/openapi.yaml", nil, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("again: got %d, want 304", again.StatusCode)
	}
	if part := s.send(http.MethodGet, "/openapi.yaml", nil, "Range", "bytes=0-9"); part.StatusCode != http.StatusOK {
		t.Errorf("a part of it: got %d, want all", part.StatusCode)
	}
}

// A write that only the master has is no promise: the answer is 503 until a
// replica has it, and says so then.
func TestReceiptNamesTheDurability(t *testing.T) {
	redis := redistest.StartReplicated(t, 1, 0)
	durability, err := streamutil.ParseDurability("replicas=1")
	if err != nil {
		t.Fatal(err)
	}
	client := streamutil.NewClient(streamutil.ClientConfig{
		Addresses: []string{redis.Servers()[0].Addr()}, Durability: durability,
	})
	t.Cleanup(client.Close)
	s := openOn(t, client, streamutil.QueueConfig{}, producer.Config{})
	if got := s.mustPost(order)["durability"]; got != "replicas=1" {
		t.Errorf("got %v, want replicas=1", got)
	}
	redis.Servers()[1].Stop()
	for range 2 { // the retry is recognised, and is as little safe
		r := s.post(`{"order_id":"A-2"}`)
		if p := r.object(t); r.StatusCode != http.StatusServiceUnavailable || p["type"] != "urn:orderq:problem:not-confirmed" || r.Header.Get("Retry-After") == "" {
			t.Errorf("only the master has it, and we answer %d %s", r.StatusCode, r.body)
		}
	}
	s.mustRefuse("a batch", func() reply { return s.batch(array, `[{"order_id":"A-2"}]`) })
	// So is a cancellation, and its retry.
	for range 2 {
		r := s.delete("/v1/orders/A-1")
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("only the master knows it is cancelled, and we answer %d %s", r.StatusCode, r.body)
		}
	}
	redis.Servers()[1].Continue()
	if r := s.delete("/v1/orders/A-1"); r.StatusCode != http.StatusConflict {
		t.Errorf("the cancellation is safe: got %d %s", r.StatusCode, r.body)
	}
	if got := s.mustPost(`{"order_id":"A-2"}`); got["duplicate"] != true || got["durability"] != "replicas=1" {
		t.Errorf("got %v, want a duplicate that a replica has", got)
	}
	if got := verdicts(t, s.batch(array, `[{"order_id":"A-2"},{"order_id":"A-3"}]`)); got[0] != "1 1 0 replicas=1" {
		t.Errorf("a batch: got %v", got)
	}
}
