package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"orderq/internal/redistest"
	"orderq/producer"
)

// TestNewTokensNeedNoRestart takes a token away and gives another.
func TestNewTokensNeedNoRestart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	file := filepath.Join(t.TempDir(), "tokens")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("shop submit s3cret-one\n")
	p := startOrderq(t, "producer", redisConfig(redis.Addr())+fmt.Sprintf("producer: {tokens_file: %q}\n", file))
	p.line(t, connected)
	orders := p.address(t, takesOrders) + "/v1/orders"
	want := func(when, token string, want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, orders, strings.NewReader(`{"order_id":"A-1"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d for %s, want %d", when, resp.StatusCode, token, want)
		}
	}
	want("at the start", "s3cret-one", http.StatusAccepted)
	want("at the start", "s3cret-two", http.StatusUnauthorized)
	write("shop submit s3cret-two\n")
	want("replaced", "s3cret-one", http.StatusUnauthorized)
	want("replaced", "s3cret-two", http.StatusAccepted)
	write("s3cret-three\nshop s3cret-four\n")
	want("broken", "s3cret-two", http.StatusAccepted)
	f := p.line(t, "a watched file is no good; what it held before stays in use")
	if f["key"] != "producer.tokens_file" || !strings.Contains(f["reason"].(string), "line 1: ") || !strings.Contains(f["reason"].(string), "; line 2: ") {
		t.Errorf("the log says %v", f)
	}
	write("")
	want("emptied", "s3cret-two", http.StatusAccepted)
	if strings.Contains(p.log.String(), "s3cret") {
		t.Error("the log shows a secret")
	}
}

func TestOpenDoorsAreWarnedOf(t *testing.T) {
	t.Parallel()
	const (
		anybody = "anybody who reaches this address can submit, see and cancel orders: set producer.tokens_file"
		clear   = "orders and tokens travel in the clear: set producer.tls_cert_file, or let only a proxy that does TLS reach this address"
	)
	dir := t.TempDir()
	tokens, cert, key := filepath.Join(dir, "tokens"), filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	certPEM, keyPEM := newCertificate(t, 1)
	for file, text := range map[string][]byte{tokens: []byte("shop submit s3cret\n"), cert: certPEM, key: keyPEM} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	withTokens := "producer.tokens_file=" + tokens
	withTLS := []string{"producer.tls_cert_file=" + cert, "producer.tls_key_file=" + key}
	for _, tt := range []struct {
		name, listen string
		set          []string
		want         []string
	}{
		{"everywhere", "0.0.0.0:0", nil, []string{anybody, clear}},
		{"no host", ":0", nil, []string{anybody, clear}},
		{"with tokens", "0.0.0.0:0", []string{withTokens}, []string{clear}},
		{"with TLS", "0.0.0.0:0", withTLS, []string{anybody}},
		{"with both", "0.0.0.0:0", append(withTLS, withTokens), nil},
		{"this machine", "127.0.0.1:0", nil, nil},
		{"a name", "localhost:0", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := startOrderq(t, "producer", redisConfig("127.0.0.1:1"), append(tt.set, "producer.listen="+tt.listen)...)
			p.line(t, takesOrders) // the warnings stand before it
			for _, warning := range []string{anybody, clear} {
				want := 0
				for _, w := range tt.want {
					if w == warning {
						want = 1
					}
				}
				if got := strings.Count(p.log.String(), warning); got != want {
					t.Errorf("%d lines that %s, want %d", got, warning, want)
				}
			}
		})
	}
}

// TestProducerConfig: what somebody sets reaches the producer. Only BodyTimeout
// has no key.
func TestProducerConfig(t *testing.T) {
	c := setting{
		files: map[string]string{"tokens": "shop submit s3cret\n"},
		set: []string{
			"producer.max_body=1MiB", "producer.max_requests=7", "producer.max_batches=3", "producer.id_field=no",
			"producer.allowed_origins=https://a.example", "producer.rate_limit=30/m", "producer.tokens_file=tokens",
			"producer.page=true",
		},
		role: roleProducer,
	}.mustLoad(t)
	got := c.producerConfig(zap.NewNop(), prometheus.NewRegistry())
	if got.Tokens == nil || got.Tokens().Len() != 1 {
		t.Error("the token is missing")
	}
	for i, field := range reflect.VisibleFields(reflect.TypeOf(got)) {
		if reflect.ValueOf(got).Field(i).IsZero() && field.Name != "BodyTimeout" {
			t.Errorf("%s is not set", field.Name)
		}
	}
	got.Tokens, got.Logger, got.Registerer = nil, nil, nil
	want := producer.Config{
		MaxBody: 1 << 20, MaxRequests: 7, MaxBatches: 3, IDField: "no", Page: true,
		AllowedOrigins: []string{"https://a.example"}, RateLimit: producer.Rate{Requests: 30, Per: time.Minute},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}
