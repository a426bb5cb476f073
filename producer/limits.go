package producer

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// manyClients bounds what is remembered for the rate limit: of more clients than
// these, the one that was silent for longest begins anew.
const manyClients = 10_000

// Rate is a number of requests in a time. They may all come at once; after them
// one more is let in each Per/Requests. The zero value is no limit.
type Rate struct {
	Requests int
	Per      time.Duration
}

var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}

// ParseRate reads "100/s", "30/m" or "2500/h"; an empty text is no limit.
func ParseRate(text string) (Rate, error) {
	if text == "" {
		return Rate{}, nil
	}
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseInt(number, 10, 32)
	if per, ok := rateUnits[unit]; ok && err == nil && n > 0 {
		return Rate{Requests: int(n), Per: per}, nil
	}
	return Rate{}, fmt.Errorf("rate %q: want NUMBER/s, NUMBER/m or NUMBER/h with a whole number, such as 100/s", text)
}

// String gives the form that [ParseRate] reads.
func (r Rate) String() string {
	for unit, per := range rateUnits {
		if r.Per == per && r.Requests > 0 {
			return strconv.Itoa(r.Requests) + "/" + unit
		}
	}
	if r.Requests == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%v", r.Requests, r.Per)
}

// MarshalText implements [encoding.TextMarshaler].
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

func (r Rate) validate() error {
	if r != (Rate{}) && (r.Requests <= 0 || r.Per <= 0) {
		return errors.New("RateLimit needs Requests and Per above zero")
	}
	return nil
}

// clients hands out to each client its own share of requests.
type clients struct {
	rate  Rate
	known *lru.Cache[string, *rate.Limiter]
}

// newClients gives nil, which lets everybody in, where there is no limit.
func newClients(r Rate) *clients {
	if r.Requests == 0 {
		return nil
	}
	known, err := lru.New[string, *rate.Limiter](manyClients)
	if err != nil { // only a size below one is refused
		panic(err)
	}
	return &clients{rate: r, known: known}
}

// admit takes one request of a client's share. If none is left, it gives the time
// until there is.
func (c *clients) admit(client string) (wait time.Duration, ok bool) {
	if c == nil {
		return 0, true
	}
	limiter, known := c.known.Get(client)
	if !known {
		limiter = rate.NewLimiter(rate.Limit(float64(c.rate.Requests)/c.rate.Per.Seconds()), c.rate.Requests)
		if first, raced, _ := c.known.PeekOrAdd(client, limiter); raced {
			limiter = first
		}
	}
	now := time.Now()
	if limiter.AllowN(now, 1) {
		return 0, true
	}
	// Only looked at: a reservation that is given back lets others see a debt
	// meanwhile, and what they give back is less than what they took.
	missing := 1 - limiter.TokensAt(now)
	return max(time.Duration(missing*float64(c.rate.Per)/float64(c.rate.Requests)), 1), false
}

// address names a client without a token: its IP address, or the 64 bits of an
// IPv6 network that one household or host has to itself.
func address(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "" // a Unix socket's clients are one
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, _ := ip.Prefix(64) // an IPv6 address has so many
	return network.String()
}

// wholeSeconds rounds up: whoever comes a moment too early is refused again.
func wholeSeconds(d time.Duration) time.Duration {
	return time.Duration(math.Ceil(d.Seconds())) * time.Second
}
