package ops

import (
	"context"
	"errors"
	"time"
)

// The bounds of a chunk, which are half of what a producer takes at once or
// less, and what common proxies let pass.
const (
	maxChunk      = 500
	maxChunkBytes = 1 << 20 // with a line's end for each order
	// linger is how long a chunk waits for more orders, so that those of a
	// slow input are sent as they come.
	linger = 200 * time.Millisecond
)

// chunks gathers what is read into what is sent at once.
type chunks struct {
	orders <-chan submission
	failed <-chan error // the reader's end; io.EOF if it read all
	ahead  *submission  // was read, and belongs to the next chunk
}

// read reads the input until its end or that of ctx. What reads a terminal or
// a pipe cannot be cut short: after Ctrl-C it is left behind, and ends with the
// program.
func read(ctx context.Context, in *input) *chunks {
	orders, failed := make(chan submission), make(chan error, 1)
	go func() {
		for {
			order, err := in.next()
			if err != nil {
				failed <- err
				return
			}
			select {
			case orders <- order:
			case <-ctx.Done():
				return
			}
		}
	}()
	return &chunks{orders: orders, failed: failed}
}

// next gives the next chunk, and with the last one, which may be empty, why it
// is the last: io.EOF, what is wrong with the input, or the end of ctx. A chunk
// is an order that must go by itself, one too large to hold, or up to maxChunk
// others.
func (c *chunks) next(ctx context.Context) (chunk []submission, err error) {
	var late <-chan time.Time
	for size := 0; ; {
		order, err := c.order(ctx, late)
		if errors.Is(err, errLate) {
			return chunk, nil
		}
		if err != nil {
			return chunk, err
		}
		alone := order.byItself()
		size += len(order.body) + 1
		if len(chunk) > 0 && (alone || size > maxChunkBytes) {
			c.ahead = &order
			return chunk, nil
		}
		if chunk = append(chunk, order); alone || len(chunk) == maxChunk {
			return chunk, nil
		}
		if late == nil {
			late = time.After(linger)
		}
	}
}

// errLate is the end of a chunk that has waited long enough.
var errLate = errors.New("no order came in time")

func (c *chunks) order(ctx context.Context, late <-chan time.Time) (submission, error) {
	if order := c.ahead; order != nil {
		c.ahead = nil
		return *order, nil
	}
	select {
	case order := <-c.orders:
		return order, nil
	case err := <-c.failed:
		return submission{}, err
	case <-late:
		return submission{}, errLate
	case <-ctx.Done():
		return submission{}, ctx.Err()
	}
}
