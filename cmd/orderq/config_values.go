package main

import (
	"cmp"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderq/consumer"
	"orderq/producer"
)

var (
	queueName   = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
	defaultPort = map[string]string{"http": "80", "https": "443"}

	tokenName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$") // RFC 9110's token
)

// checkValues looks at every value by itself.
func (c *loaded) checkValues() {
	c.checkRedis()
	c.checkQueue()
	c.checkProducer()
	c.checkConsumer()
	c.checkAPI()
	c.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	c.oneOf("log.format", c.Log.Format, "auto", "json", "console")
}

func (c *loaded) checkRedis() {
	c.addresses("redis.addresses", c.Redis.Addresses)
	c.addresses("redis.sentinel.addresses", c.Redis.Sentinel.Addresses)
	if len(c.Redis.Addresses) == 0 && c.Redis.Sentinel.Master == "" {
		c.problemf("redis.addresses", "is empty: want HOST:PORT")
	}
	atLeast(c, "redis.db", c.Redis.DB, 0)
}

func (c *loaded) checkQueue() {
	if !queueName.MatchString(c.Queue.Name) {
		c.problemf("queue.name", "%s: want 1 to 64 of a-z, 0-9, _ and -", shown(c.Queue.Name))
	}
	atLeast(c, "queue.max_backlog", c.Queue.MaxBacklog, 1)
	atLeast(c, "queue.max_in_flight", c.Queue.MaxInFlight, 1)
	atLeast(c, "queue.retention", c.Queue.Retention, time.Second)
	atLeast(c, "queue.log_max", c.Queue.LogMax, 1)
}

func (c *loaded) checkProducer() {
	p := c.Producer
	c.listen("producer.listen", p.Listen)
	c.adminAddress("producer.admin", p.Admin)
	for _, origin := range p.AllowedOrigins {
		if err := producer.CheckOrigin(origin); err != nil {
			c.problemf("producer.allowed_origins", "%s: %v", shown(origin), err)
		}
	}
	atLeast(c, "producer.max_body", p.MaxBody, ByteSize(1<<10))
	if p.MaxBody > 16<<20 {
		c.problemf("producer.max_body", "%s: want at most 16MiB", p.MaxBody)
	}
	atLeast(c, "producer.max_requests", p.MaxRequests, 1)
	atLeast(c, "producer.max_batches", p.MaxBatches, 1)
	if p.IDField == "" {
		c.problemf("producer.id_field", "is empty: want the key that holds the order's id")
	}
	atLeast(c, "producer.drain_delay", p.DrainDelay, 0)
	atLeast(c, "producer.stop_timeout", p.StopTimeout, time.Second)
}

func (c *loaded) checkConsumer() {
	k := c.Consumer
	c.adminAddress("consumer.admin", k.Admin)
	atLeast(c, "consumer.lease", k.Lease, time.Second)
	atLeast(c, "consumer.max_attempts", k.MaxAttempts, 1)
	atLeast(c, "consumer.max_hold", k.MaxHold, time.Second)
	c.oneOf("consumer.on_uncertain", k.OnUncertain, "retry", "dead")
}

func (c *loaded) checkAPI() {
	a := c.Consumer.API
	if a.URL != "" {
		c.apiURL(a.URL)
	}
	if !tokenName.MatchString(a.Method) {
		c.problemf("consumer.api.method", "%s: want an HTTP method, such as POST", shown(a.Method))
	}
	atLeast(c, "consumer.api.timeout", a.Timeout, 10*time.Millisecond)
	if _, err := consumer.ParseAccepted(a.Accept); err != nil {
		c.problemf("consumer.api.accept", "%v", err)
	}
	for name, value := range a.Headers {
		if !tokenName.MatchString(name) {
			c.problemf("consumer.api.headers", "%s: not a header's name", shown(name))
		}
		if strings.ContainsAny(value, "\r\n\x00") {
			c.problemf("consumer.api.headers", "%s: a header's value is one line", name)
		}
	}
}

// apiURL refuses credentials in the URL, which every log of a proxy would
// show. Its errors repeat no URL for the same reason.
func (c *loaded) apiURL(text string) {
	const key = "consumer.api.url"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		c.problemf(key, "want an absolute http or https URL, such as https://partner.example/orders")
	case u.User != nil:
		c.problemf(key, "want no user and password in the URL; use consumer.api.token_file or consumer.api.headers")
	case u.Fragment != "":
		c.problemf(key, "want no #fragment: it is never sent")
	}
}

// shown quotes a wrong value for an error, shortened, and not at all where it
// could hold credentials, as redis://user:password@host does.
func shown(value string) string {
	if strings.Contains(value, "@") {
		return "the value"
	}
	if len(value) > 60 {
		value = value[:60] + "..."
	}
	return strconv.Quote(value)
}

func (c *loaded) addresses(key string, list []string) {
	for _, address := range list {
		host, port, err := net.SplitHostPort(address)
		n, bad := strconv.ParseUint(port, 10, 16)
		if err != nil || bad != nil || n == 0 || host == "" || strings.Contains(host, ":") && net.ParseIP(host) == nil {
			c.problemf(key, "%s: want HOST:PORT, such as 127.0.0.1:6379", shown(address))
		}
	}
}

// listen checks an address to bind: the host may be missing, the port may be 0.
func (c *loaded) listen(key, address string) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		c.socketPath(key, path)
		return
	}
	_, port, err := net.SplitHostPort(address)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		c.problemf(key, "%s: want HOST:PORT, such as 127.0.0.1:8080, or unix:PATH", shown(address))
	}
}

// socketPath refuses what cannot be bound, and Linux's abstract sockets: those
// have no permissions, and everybody on the machine could connect.
func (c *loaded) socketPath(key, path string) {
	switch {
	case path == "", strings.HasPrefix(path, "@"), strings.Contains(path, "\x00"):
		c.problemf(key, "%s: want a file's name after unix:, such as unix:/run/orderq/orders.sock", shown(path))
	case len(path) > maxSocketPath:
		c.problemf(key, "the socket's path has %d bytes: want at most %d", len(path), maxSocketPath)
	}
}

func (c *loaded) adminAddress(key, address string) {
	if address != "" {
		c.listen(key, address)
	}
}

func (c *loaded) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		last := len(allowed) - 1
		c.problemf(key, "%s: want %s or %s", shown(value), strings.Join(allowed[:last], ", "), allowed[last])
	}
}

func atLeast[T cmp.Ordered](c *loaded, key string, value, least T) {
	if value < least {
		c.problemf(key, "%v: want at least %v", value, least)
	}
}
