package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// newCertificate gives a certificate for 127.0.0.1 with its key, as PEM.
func newCertificate(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	return block("CERTIFICATE", der), block("PRIVATE KEY", pkcs8)
}

// secureProducer is a producer that serves HTTPS, and its two files.
type secureProducer struct {
	*process
	cert, key string
}

func startSecure(t *testing.T, serial int64, set ...string) secureProducer {
	t.Helper()
	dir := t.TempDir()
	p := secureProducer{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	cert, key := newCertificate(t, serial)
	p.write(t, p.cert, cert)
	p.write(t, p.key, key)
	config := redisConfig("127.0.0.1:1") + fmt.Sprintf("producer: {tls_cert_file: %q, tls_key_file: %q}\n", p.cert, p.key)
	p.process = startOrderq(t, "producer", config, set...)
	return p
}

func (p secureProducer) write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p secureProducer) host(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(p.address(t, takesOrders), "http://")
}

// wantSerial shakes hands anew, as a client that speaks HTTP/2, and looks at the
// certificate.
func (p secureProducer) wantSerial(t *testing.T, when string, want int64) {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // the number is all that matters
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + p.host(t) + "/livez")
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Errorf("%s: %s %s, want 200 by HTTP/2", when, resp.Proto, resp.Status)
	}
	if got := resp.TLS.PeerCertificates[0].SerialNumber.Int64(); got != want {
		t.Errorf("%s: certificate %d, want %d", when, got, want)
	}
}

func TestARenewedCertificateNeedsNoRestart(t *testing.T) {
	t.Parallel()
	const noGood, replaced = "a watched file is no good; what it held before stays in use", "a watched file was replaced; what it holds is in use from now on"
	p := startSecure(t, 1)
	p.wantSerial(t, "at the start", 1)
	cert, key := newCertificate(t, 2)
	wantLines := func(when string, bad, good int) {
		t.Helper()
		log := p.log.String()
		if b, g := strings.Count(log, noGood), strings.Count(log, replaced); b != bad || g != good {
			t.Errorf("%s: %d lines of trouble and %d of renewal, want %d and %d", when, b, g, bad, good)
		}
	}
	wantLines("at the start", 0, 0)

	p.write(t, p.cert, cert)
	for range 3 {
		p.wantSerial(t, "half replaced", 1)
	}
	wantLines("half replaced", 1, 0)
	p.write(t, p.key, key)
	for range 3 {
		p.wantSerial(t, "replaced", 2)
	}
	wantLines("replaced", 1, 1)

	p.write(t, p.key, []byte("no key\n"))
	for range 3 {
		p.wantSerial(t, "broken", 2)
	}
	wantLines("broken", 2, 1)
	if f := p.line(t, noGood); f["key"] != "producer.tls_cert_file" || f["file"] != p.cert+", "+p.key || f["reason"] == "" {
		t.Errorf("the log says %v", f)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	p := startSecure(t, 1)
	conn, err := tls.Dial("tcp", p.host(t), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err == nil {
		_ = conn.Close()
		t.Fatal("TLS 1.1 was taken")
	}
	p.line(t, "a connection went wrong")
}

// TestHTTP2IsBounded reads what the server allows its clients.
func TestHTTP2IsBounded(t *testing.T) {
	t.Parallel()
	p := startSecure(t, 1)
	conn, err := tls.Dial("tcp", p.host(t), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	frame, err := framer.ReadFrame()
	if err != nil {
		t.Fatal(err)
	}
	settings, ok := frame.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("the first frame is %v", frame)
	}
	for id, most := range map[http2.SettingID]uint32{
		http2.SettingMaxConcurrentStreams: 100,
		http2.SettingInitialWindowSize:    256 << 10,
		http2.SettingMaxHeaderListSize:    20 << 10,
	} {
		if got, ok := settings.Value(id); !ok || got > most {
			t.Errorf("%v is %d (given: %t), want at most %d", id, got, ok, most)
		}
	}
}
