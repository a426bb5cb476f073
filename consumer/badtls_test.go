package consumer

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// TestBadTLS: where TLS does not come about nothing was sent, and the error says
// why in words that help and hold no secret.
func TestBadTLS(t *testing.T) {
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a call came through") })
	secure := httptest.NewUnstartedServer(handler)
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(handler)
	t.Cleanup(plain.Close)
	old := httptest.NewUnstartedServer(handler)
	old.Config.ErrorLog = quiet
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	silent := newWire(t, func(c *wireConn, _ int) { <-c.wire.over })
	closes := newWire(t, func(*wireConn, int) {})

	known := x509.NewCertPool()
	known.AddCert(secure.Certificate())
	_, port, _ := net.SplitHostPort(secure.Listener.Addr().String())
	in2100 := func() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, tc := range []struct {
		name, url string
		config    *tls.Config
		err       string
	}{
		{"a certificate nobody knows", secure.URL, nil, "certificate signed by unknown authority"},
		{"another's certificate", "https://localhost:" + port, &tls.Config{RootCAs: known}, "not localhost"},
		{"an expired certificate", secure.URL, &tls.Config{RootCAs: known, Time: in2100}, "certificate has expired"},
		{"no common version", old.URL, &tls.Config{RootCAs: known}, "protocol version not supported"},
		{"plain HTTP", "https://" + plain.Listener.Addr().String(), nil, "the partner does not speak TLS on this port"},
		{"closed at once", "https://" + closes.listener.Addr().String(), nil, ""},
		{"silent", "https://" + silent.listener.Addr().String(), nil, "the partner did not answer within 3s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSender(t, HTTPConfig{
				URL: tc.url + "/?key=s3cret", TLS: tc.config, Timeout: longTimeout, Token: func() string { return "s3cret" },
			})
			r := s.Send(t.Context(), order("A"))
			said := text(r.Err)
			if r.Outcome != streamutil.OutcomeUnavailable || !strings.HasPrefix(said, "not sent: tls handshake: ") || !strings.Contains(said, tc.err) {
				t.Errorf("%s, %q; want unavailable, %q", r.Outcome, said, tc.err)
			}
			if strings.Contains(said, "s3cret") {
				t.Errorf("the error shows a secret: %q", said)
			}
		})
	}
}
