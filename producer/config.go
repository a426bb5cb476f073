package producer

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Config says how orders are taken in. The zero value of a field stands for
// its default.
type Config struct {
	// MaxBody is the most bytes an order may have. Default 64 KiB.
	MaxBody int64
	// MaxRequests is how many requests are served at once; one more is refused
	// at once with 503. One client can have three quarters of them. Probes are not
	// counted. Default 512.
	MaxRequests int
	// MaxBatches is how many batches are under way at once; one more is refused
	// at once with 503. One client can have three quarters of them. It bounds
	// memory: a batch has up to 16 MiB. A batch counts among MaxRequests, too.
	// Default 8.
	MaxBatches int
	// BodyTimeout is how long a body may take to come in; a batch may take twice
	// that. Default 5 seconds.
	BodyTimeout time.Duration
	// IDField is the top-level key that holds an order's id. Default "order_id".
	IDField string
	// Tokens gives those who may come in; it is asked at every request, so that
	// tokens can change while the handler is in use. Default: everybody may do
	// everything.
	Tokens func() Tokens
	// Page serves the order page at / even where there are Tokens.
	Page bool
	// AllowedOrigins are the pages of other origins that may call from a browser,
	// each exactly as browsers send it, such as https://shop.example (see
	// [CheckOrigin]).
	AllowedOrigins []string
	// RateLimit bounds the requests of each client: of an IP address (of an IPv6
	// network of 64 bits), with its token's name if it has one. Behind a proxy all
	// clients have the proxy's address. A batch is one request. Default: no limit.
	RateLimit Rate
	// Logger gets a debug line for each order taken and a warning for each 5xx.
	// It is never given bodies or values. Default: no logs.
	Logger *zap.Logger
	// Registerer gets the metrics. Default: none are registered.
	Registerer prometheus.Registerer
}

func (c Config) withDefaults() Config {
	if c.MaxBody == 0 {
		c.MaxBody = 64 << 10
	}
	if c.MaxRequests == 0 {
		c.MaxRequests = 512
	}
	if c.MaxBatches == 0 {
		c.MaxBatches = 8
	}
	if c.BodyTimeout == 0 {
		c.BodyTimeout = 5 * time.Second
	}
	if c.IDField == "" {
		c.IDField = "order_id"
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	for _, v := range []struct {
		name  string
		value int64
	}{
		{"MaxBody", c.MaxBody},
		{"MaxRequests", int64(c.MaxRequests)},
		{"MaxBatches", int64(c.MaxBatches)},
		{"BodyTimeout", int64(c.BodyTimeout)},
	} {
		if v.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative", v.name))
		}
	}
	errs = append(errs, c.RateLimit.validate())
	for _, origin := range c.AllowedOrigins {
		if err := CheckOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("AllowedOrigins: %q: %w", origin, err))
		}
	}
	return errors.Join(errs...)
}

var (
	// originHost is a name in lower case or an address, and a port.
	originHost  = regexp.MustCompile(`^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`)
	defaultPort = map[string]string{"http": "80", "https": "443"}
)

// CheckOrigin wants an origin exactly as browsers send it: without a path, the
// host in lower case, and a port only where it is not the scheme's own. Any other
// form would never be met, or half of the checks would meet it.
func CheckOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Scheme+"://"+u.Host != origin ||
		!originHost.MatchString(u.Host) || u.Port() == defaultPort[u.Scheme] {
		return errors.New("want an origin exactly as browsers send it, such as https://shop.example")
	}
	return nil
}
