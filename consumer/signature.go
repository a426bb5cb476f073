package consumer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// secretPrefix marks a secret that the specification's tools have made: the key
// follows in base64.
const secretPrefix = "whsec_"

// ParseSecret reads the key of [HTTPConfig.SigningKey] as it is written down:
// whsec_ and the key in base64; without that prefix it is the key itself. Its
// error does not show the secret.
func ParseSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return []byte(text), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, errors.New("the secret begins with whsec_, and no base64 follows")
	}
	return key, nil
}

// sign sets the three headers of the Standard Webhooks specification 1.0:
// the HMAC-SHA256 of id, Unix time and body, joined by full stops.
func sign(h http.Header, secret []byte, id string, now time.Time, body []byte) {
	ts := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.", id, ts)
	mac.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", ts)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
