package consumer

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// secretPrefix marks a secret that the specification's tools have made: the key
// follows in base64.
const secretPrefix = "whsec_"

// signingKey reads a secret as it is written down.
func signingKey(secret []byte) ([]byte, error) {
	encoded, ok := bytes.CutPrefix(secret, []byte(secretPrefix))
	if !ok {
		return secret, nil
	}
	key, err := base64.StdEncoding.AppendDecode(nil, encoded)
	if err != nil || len(key) == 0 {
		return nil, errors.New("consumer: Secret begins with whsec_, and no base64 follows") // never shown
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
