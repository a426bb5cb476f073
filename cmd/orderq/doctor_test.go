package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"orderq/ops"
)

// certificateUntil gives a certificate for 127.0.0.1 that ends then, and who
// trusts it.
func certificateUntil(t *testing.T, end time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, pool
}

// has fails unless the findings are these: RESULT CHECK DETAIL…, what mends it
// behind a bar.
func has(t *testing.T, found []ops.Finding, want ...string) {
	t.Helper()
	var got []string
	for _, f := range found {
		got = append(got, string(f.Result)+" "+f.Check+": "+f.Detail+" | "+f.Mend)
		if (f.Result == ops.Pass) != (f.Mend == "") {
			t.Errorf("what is well needs no mending, all else does: %+v", f)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("found %q, want %q", got, want)
	}
	for i := range want {
		for part := range strings.SplitSeq(want[i], "…") {
			if !strings.Contains(got[i], part) {
				t.Errorf("found %q, want %q", got[i], want[i])
			}
		}
	}
}

// TestDoctorVisitsThePartner lets it connect to partners of all kinds. None of
// them may be asked for anything.
func TestDoctorVisitsThePartner(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, tt := range []struct {
		name      string
		left      time.Duration // of the certificate; 0 is plain HTTP
		scheme    string
		untrusted bool
		want      []string
	}{
		{"well", 30 * day, "https", false, []string{"PASS partner: …, connected in … ms, TLS 1.3 after … ms", "PASS partner certificate: 127.0.0.1: good until 20"}},
		{"ends soon", 5*day + time.Hour, "https", false, []string{"PASS partner: ", "WARN partner certificate: 127.0.0.1: expires in 5 days, at 20… | tell the partner"}},
		{"expired", -time.Hour, "https", false, []string{"FAIL partner: …: TLS handshake: …expired… | openssl s_client -connect 127.0.0.1:"}},
		{"not trusted", 30 * day, "https", true, []string{"FAIL partner: …: TLS handshake: …unknown authority"}},
		{"no TLS there", 0, "https", false, []string{"FAIL partner: …it does not speak TLS on this port"}},
		{"plain", 0, "http", false, []string{"PASS partner: …, connected in … ms"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the partner was called") }))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			cert, pool := certificateUntil(t, time.Now().Add(tt.left))
			if tt.untrusted {
				pool = x509.NewCertPool()
			}
			if srv.TLS = (&tls.Config{Certificates: []tls.Certificate{cert}}); tt.left == 0 {
				srv.Start()
			} else {
				srv.StartTLS()
			}
			t.Cleanup(srv.Close)
			c := &loaded{Config: defaultConfig()}
			c.Consumer.API.URL = tt.scheme + "://" + srv.Listener.Addr().String() + "/orders?key=s3cret"
			found := c.partner(t.Context(), pool)
			has(t, found, tt.want...)
			for _, f := range found {
				if strings.Contains(f.Detail+f.Mend, "s3cret") {
					t.Errorf("a secret is shown: %+v", f)
				}
			}
		})
	}
}

func TestDoctorDoesNotReachThePartner(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for url, want := range map[string]string{
		"https://127.0.0.1:1/":                       "FAIL partner: 127.0.0.1:1 cannot be reached: …refused | nc -vz 127.0.0.1 1",
		"https://partner.invalid/":                   "FAIL partner: partner.invalid:443 cannot be reached: … | getent hosts partner.invalid",
		"https://" + silent.Addr().String() + "/":    "FAIL partner: …: TLS handshake: no answer within 3s | openssl",
		"http://[::ffff:127.0.0.1]:1/a/b?c=d&e#nono": "FAIL partner: … | nc -vz ::ffff:127.0.0.1 1",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		c := &loaded{Config: defaultConfig()}
		c.Consumer.API.URL = url
		has(t, c.partner(ctx, nil), want)
		cancel()
	}
}

func TestDoctorOnOddConfigurations(t *testing.T) {
	for _, tt := range []struct {
		name, yaml string
		want       string
	}{
		{"none", "", "PASS configuration: default"},
		{"lease", "consumer: {lease: 11s}", "WARN configuration: consumer.lease 11s: …cut after 7.333s, before their timeout of 10s… | consumer.lease: 16s"},
		{"hardly a lease", "consumer: {lease: 15s}", "PASS configuration: "},
		{"in flight", "consumer: {pace: 100/s}", "WARN configuration: consumer.pace 100/s with queue.max_in_flight 10 …within 100ms | queue.max_in_flight: 100"},
		{"unlimited", "consumer: {pace: unlimited}", "PASS"},
		{"open to all", "producer: {listen: 0.0.0.0:8080}", "WARN configuration: producer.listen 0.0.0.0:8080 without tokens…may submit and cancel… | producer.tokens_file"},
		{"socket", "producer: {listen: unix:/run/x.sock}", "PASS"},
		{"IPv6", "producer: {listen: '[::1]:80'}", "PASS"},
		{"short memory", "queue: {retention: 10m}", "WARN configuration: queue.retention 10m: … | queue.retention: 72h"},
		{"headers in the clear", "consumer: {api: {url: 'http://partner.example/x', headers: {X-Key: s3cret}}}", "WARN configuration: consumer.api.url is http: …partner.example:80"},
		{"nothing to hide", "consumer: {api: {url: 'http://partner.example/x'}}", "PASS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := setting{files: map[string]string{"orderq.yaml": tt.yaml}, role: roleOperator}.mustLoad(t)
			has(t, c.oddities(), tt.want)
		})
	}
}

func TestDoctorOnOpenFiles(t *testing.T) {
	secret := setting{role: roleOperator, files: map[string]string{
		"orderq.yaml": "redis: {password: s3cret}\nproducer: {tokens_file: 'the tokens'}\n", ".env": "ORDERQ_CONSUMER__API__HEADERS=X-Key=s3cret\n",
		"the tokens": "shop submit s3cret-s3cret-s3cret-s3cret-s3cret\n",
	}}
	c := secret.mustLoad(t)
	has(t, c.exposedFiles(), "PASS file permissions: none of 3 files with secrets is open to others")
	for name, mode := range map[string]os.FileMode{"orderq.yaml": 0o604, ".env": 0o602, "the tokens": 0o640} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	has(t, c.exposedFiles(),
		"WARN file permissions: orderq.yaml (redis.password) …mode 0604 | chmod o= orderq.yaml",
		"WARN file permissions: .env (consumer.api.headers) …mode 0602 | chmod o= .env")
	if err := os.Chmod("the tokens", 0o644); err != nil {
		t.Fatal(err)
	}
	if found := c.exposedFiles(); !strings.HasSuffix(found[len(found)-1].Mend, "chmod o= 'the tokens'") {
		t.Errorf("not as a shell reads it: %+v", found)
	}
	has(t, setting{role: roleOperator, files: map[string]string{"orderq.yaml": "consumer: {api: {url: 'https://partner.example/x'}}"}}.mustLoad(t).exposedFiles())
}

func TestDoctorOnTheServicesFiles(t *testing.T) {
	soon, _ := certificateUntil(t, time.Now().Add(49*time.Hour))
	private, err := x509.MarshalPKCS8PrivateKey(soon.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	files := map[string]string{
		"orderq.yaml": "producer: {tokens_file: tokens, tls_cert_file: cert, tls_key_file: key}\n" +
			"consumer: {api: {token_file: token, hmac_secret_file: hmac}}\n",
		"cert": block("CERTIFICATE", soon.Certificate[0]), "key": block("PRIVATE KEY", private),
		"tokens": "shop submit s3cret-s3cret-s3cret-s3cret-s3cret\n", "token": "s3cret\n", "hmac": "s3cret\n",
	}
	c := setting{role: roleOperator, files: files}.mustLoad(t)
	has(t, c.serviceFiles(),
		"PASS tokens file: 1 in tokens", "WARN producer certificate: cert: expires in 2 days… | renew",
		"PASS partner token: in token", "PASS signing secret: in hmac")
	for name, text := range map[string]string{"tokens": "", "token": "two\nlines\n", "key": "none"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove("hmac"); err != nil {
		t.Fatal(err)
	}
	found := c.serviceFiles()
	has(t, found,
		"FAIL tokens file: …holds no token", "FAIL producer certificate: …tls_key_file", "FAIL partner token: …more than one line",
		"FAIL signing secret: …no such file")
	for _, f := range found {
		if strings.Contains(f.Detail, "s3cret") || strings.Contains(f.Detail, "two") {
			t.Errorf("a secret is shown: %+v", f)
		}
	}
}

func TestDoctorAsAnotherUser(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read every file")
	}
	c := setting{role: roleOperator, files: map[string]string{
		"orderq.yaml": "producer: {tokens_file: tokens}\n", "tokens": "shop submit s3cret-s3cret-s3cret-s3cret-s3cret\n",
	}}.mustLoad(t)
	if err := os.Chmod("tokens", 0); err != nil {
		t.Fatal(err)
	}
	has(t, c.serviceFiles(), "WARN tokens file: tokens cannot be read by this user | sudo -u orderq orderq doctor")
}
