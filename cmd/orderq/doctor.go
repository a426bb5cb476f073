package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"orderq/ops"
)

// expiresSoon is how long before its end a certificate is worth a warning.
const expiresSoon = 14 * 24 * time.Hour

// findings is what orderq doctor finds out here, beside what Redis tells: about
// the partner's address, the configuration and the files that it names.
func (c *loaded) findings(ctx context.Context) []ops.Finding {
	var found []ops.Finding
	if c.Consumer.API.URL != "" {
		found = append(found, c.partner(ctx, nil)...)
	}
	found = append(found, c.oddities()...)
	found = append(found, c.exposedFiles()...)
	return append(found, c.serviceFiles()...)
}

func passed(check, format string, args ...any) ops.Finding {
	return ops.Finding{Check: check, Result: ops.Pass, Detail: fmt.Sprintf(format, args...)}
}

func warned(check, mend, format string, args ...any) ops.Finding {
	return ops.Finding{Check: check, Result: ops.Warn, Detail: fmt.Sprintf(format, args...), Mend: mend}
}

func failed(check, mend, format string, args ...any) ops.Finding {
	return ops.Finding{Check: check, Result: ops.Fail, Detail: fmt.Sprintf(format, args...), Mend: mend}
}

// oddities are what the configuration may say, and hardly anybody means.
func (c *loaded) oddities() []ops.Finding {
	const check = "configuration"
	var found []ops.Finding
	for _, note := range c.Notes {
		found = append(found, warned(check, "orderq config print", "%s", note))
	}
	found = append(found, c.oddConsumer(check)...)
	p := c.Producer
	if p.TokensFile == "" && !local(p.Listen) {
		found = append(found, warned(check, "producer.tokens_file", "producer.listen %s without tokens: whoever reaches it may submit and cancel orders", p.Listen))
	}
	if c.Queue.Retention < time.Hour {
		found = append(found, warned(check, "queue.retention: 72h", "queue.retention %s: an order submitted again later than that is sent again", durationText(c.Queue.Retention)))
	}
	if found == nil {
		found = append(found, passed(check, "%s", c.summary(len(leaves(&c.Config)))))
	}
	return found
}

func (c *loaded) oddConsumer(check string) []ops.Finding {
	var found []ops.Finding
	k := c.Consumer
	// From two thirds of a lease on without Redis a consumer cuts its calls.
	if cut := k.Lease * 2 / 3; cut < k.API.Timeout {
		found = append(found, warned(check, "consumer.lease: "+durationText((k.API.Timeout*3/2).Round(time.Second)+time.Second),
			"consumer.lease %s: with Redis away calls are cut after %s, before their timeout of %s, and what they did is uncertain",
			durationText(k.Lease), durationText(cut.Round(time.Millisecond)), durationText(k.API.Timeout)))
	}
	const quick = 200 * time.Millisecond // few partners answer faster
	if room := k.Pace.Interval() * time.Duration(c.Queue.MaxInFlight); room > 0 && room < quick {
		found = append(found, warned(check, fmt.Sprintf("queue.max_in_flight: %d", int(time.Second/k.Pace.Interval())),
			"consumer.pace %s with queue.max_in_flight %d is reached only if the partner answers within %s",
			k.Pace, c.Queue.MaxInFlight, durationText(room)))
	}
	secret := k.API.TokenFile != "" || len(k.API.Headers) > 0
	if u := c.apiAddress(); u.scheme == "http" && secret && !local(u.address) {
		found = append(found, warned(check, "consumer.api.url: https://…", "consumer.api.url is http: the token, or the headers, can be read on the way to %s", u.address))
	}
	return found
}

// local reports whether only this machine reaches an address.
func local(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}
