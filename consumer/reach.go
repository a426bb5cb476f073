package consumer

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"orderq/streamutil"
)

// sayAfter is how many calls in a row must fail before it is said that the
// partner takes no orders: one may fail for the order's own sake.
const sayAfter = 3

// reach tells once that calls get no order to the partner, with the cause, and
// once that they do again.
type reach struct {
	log   *zap.Logger
	clock clock

	mu     sync.Mutex
	failed int // calls in a row
	since  time.Duration
}

// saw takes note of what a call meant.
func (r *reach) saw(res Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch res.Outcome {
	case streamutil.OutcomeDelivered, streamutil.OutcomeRejected: // an answer to this order, either way
		if r.failed >= sayAfter {
			r.log.Info("the partner takes orders again", zap.Duration("after", r.clock.now()-r.since))
		}
		r.failed = 0
	default:
		if r.failed == 0 {
			r.since = r.clock.now()
		}
		r.failed++
		if r.failed == sayAfter {
			r.log.Warn("the partner takes no orders; they are tried again until it does", zap.Int("calls", r.failed),
				zap.String("outcome", string(res.Outcome)), zap.Int("http_status", res.Status), zap.Error(res.Err))
		}
	}
}
