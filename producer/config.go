package producer

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Config says how orders are taken in. The zero value of a field stands for
// its default.
type Config struct {
	// MaxBody is the most bytes an order may have. Default 64 KiB.
	MaxBody int64
	// MaxRequests is how many requests are served at once; one more is refused
	// at once with 503. Probes are not counted. Default 512.
	MaxRequests int
	// IDField is the top-level key that holds an order's id. Default "order_id".
	IDField string
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
	if c.MaxBody < 0 {
		errs = append(errs, fmt.Errorf("MaxBody is %d; it must be 1 or more", c.MaxBody))
	}
	if c.MaxRequests < 0 {
		errs = append(errs, fmt.Errorf("MaxRequests is %d; it must be 1 or more", c.MaxRequests))
	}
	return errors.Join(errs...)
}
