package campaign

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// newToken puts another token into its file and lets the queue go on: the same
// process sends the new one.
func newToken(s *system) {
	s.t.Helper()
	if err := os.WriteFile(tokenFile(s), []byte("new\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.command("resume")
	await(s.t, 10*time.Second, "the order is sent again", func() bool { return s.partner.Seen() > 1 })
	calls := s.partner.Calls()
	for i, want := range []string{"Bearer old", "Bearer new"} {
		if got := calls[i].Header.Get("Authorization"); got != want {
			s.t.Errorf("call %d carries %q, want %q", i+1, got, want)
		}
	}
}

// killFirst kills the consumer that makes the first order's call.
func killFirst(s *system) {
	s.t.Helper()
	call := s.awaitFirst("A")
	n, err := strconv.Atoi(call.Header.Get(consumerHeader))
	if err != nil {
		s.t.Fatal(err)
	}
	s.consumers[n].kill()
}

// closePort lets nobody listen where the consumers call.
func closePort(s *system) { s.api.Close() }

// openPort lets the partner listen there again.
func openPort(s *system) {
	s.t.Helper()
	var l net.Listener
	await(s.t, 10*time.Second, "the port is free again", func() bool {
		var err error
		l, err = net.Listen("tcp", s.api.Listener.Addr().String())
		return err == nil
	})
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: s.partner}}
	server.Start()
	s.t.Cleanup(server.Close)
}

// findHost starts the consumer anew with the partner's true address.
func findHost(s *system) {
	s.t.Helper()
	s.stopConsumers()
	s.set("consumer.api.url=" + s.api.URL + "/orders")
	s.startConsumers()
}

// unknownAuthority puts the partner behind a certificate that nobody vouches for.
func unknownAuthority(s *system) {
	s.t.Helper()
	secure := httptest.NewUnstartedServer(s.partner)
	secure.Config.ErrorLog = quiet
	secure.StartTLS()
	s.t.Cleanup(secure.Close)
	s.api.Close()
	s.api = secure
	s.set("consumer.api.url=" + secure.URL + "/orders")
}

// knownAuthority starts the consumer anew, with somebody who vouches for it.
func knownAuthority(s *system) {
	s.t.Helper()
	file := filepath.Join(s.dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.api.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if n := s.partner.Seen(); n > 0 {
		s.t.Errorf("%d calls came through", n)
	}
	s.stopConsumers()
	s.consumers[0].env = append(s.consumers[0].env, "SSL_CERT_FILE="+file)
	s.startConsumers()
}

func tokenFile(s *system) string { return filepath.Join(s.dir, "token") }
