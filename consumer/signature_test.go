package consumer

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"
)

// TestSign checks the example that the Standard Webhooks libraries test with.
func TestSign(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	sign(h, secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	for name, want := range map[string]string{
		"webhook-id":        "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestParseSecret(t *testing.T) {
	for secret, want := range map[string]string{
		"":                 "",
		"plain text":       "plain text",
		"whsec_aGVsbG8=":   "hello",
		"whsec_":           "error",
		"whsec_not base64": "error",
	} {
		key, err := ParseSecret(secret)
		got := string(key)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("ParseSecret(%q) = %q, want %q", secret, got, want)
		}
	}
}
