package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"orderq/ops"
)

// partnerTimeout bounds connecting and the handshake together, as the consumer
// does.
const partnerTimeout = 3 * time.Second

// apiAddress is where the partner is, without what may be secret in its URL.
type apiAddress struct{ scheme, host, address string }

func (c *loaded) apiAddress() apiAddress {
	u, err := url.Parse(c.Consumer.API.URL)
	if err != nil { // it was checked
		return apiAddress{}
	}
	port := u.Port()
	if port == "" {
		port = defaultPort[u.Scheme]
	}
	return apiAddress{scheme: u.Scheme, host: u.Hostname(), address: net.JoinHostPort(u.Hostname(), port)}
}

// partner connects to the partner, as far as the TLS handshake, and says
// nothing there. Roots nil are those whom the system trusts.
func (c *loaded) partner(ctx context.Context, roots *x509.CertPool) []ops.Finding {
	const check = "partner"
	at := c.apiAddress()
	ctx, cancel := context.WithTimeout(ctx, partnerTimeout)
	defer cancel()
	start := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", at.address)
	if err != nil {
		return []ops.Finding{failed(check, noConnectionMend(at, err), "%s cannot be reached: %s", at.address, worded(ctx, err))}
	}
	defer conn.Close()
	connected := time.Since(start)
	if at.scheme != "https" {
		return []ops.Finding{passed(check, "%s, connected in %s", at.address, inMillis(connected))}
	}
	secure := tls.Client(conn, &tls.Config{ServerName: at.host, RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		mend := fmt.Sprintf("openssl s_client -connect %s -servername %s </dev/null", at.address, at.host)
		return []ops.Finding{failed(check, mend, "%s: TLS handshake: %s", at.address, worded(ctx, err))}
	}
	state := secure.ConnectionState()
	return []ops.Finding{
		passed(check, "%s, connected in %s, %s after %s", at.address, inMillis(connected), tls.VersionName(state.Version), inMillis(time.Since(start))),
		expiry("partner certificate", "tell the partner", at.host, firstEnd(state.VerifiedChains[0])),
	}
}

func noConnectionMend(at apiAddress, err error) string {
	if _, unknown := errors.AsType[*net.DNSError](err); unknown {
		return "getent hosts " + at.host + "   # and consumer.api.url"
	}
	return fmt.Sprintf("nc -vz %s   # the firewall, or consumer.api.url", splitBySpace(at.address))
}

func splitBySpace(address string) string {
	host, port, _ := net.SplitHostPort(address)
	return host + " " + port
}

// worded says for people what Go does not.
func worded(ctx context.Context, err error) string {
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("no answer within %s", durationText(partnerTimeout))
	case errors.Is(err, io.EOF):
		return "it closed the connection"
	}
	if _, garbage := errors.AsType[tls.RecordHeaderError](err); garbage {
		return "it does not speak TLS on this port"
	}
	return oneLine(err.Error())
}

func inMillis(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

// firstEnd is when a chain of certificates ends to be good.
func firstEnd(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, cert := range chain {
		if cert.NotAfter.Before(end) {
			end = cert.NotAfter
		}
	}
	return end
}

// expiry judges when a certificate ends.
func expiry(check, mend, whose string, end time.Time) ops.Finding {
	day, left := end.UTC().Format("2006-01-02 15:04 MST"), time.Until(end)
	switch {
	case left <= 0:
		return failed(check, mend, "%s: expired at %s", whose, day)
	case left < expiresSoon:
		return warned(check, mend, "%s: expires in %d days, at %s", whose, int(left.Hours())/24, day)
	}
	return passed(check, "%s: good until %s", whose, day)
}
