package ops

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"orderq/streamutil"
)

// persistence goes on with long work while a server is away for a while.
type persistence struct {
	*change
	progress *progress
	giveUp   time.Duration // after so long
	said     time.Time     // when a setback was told last
}

// persist repeats what fails for a while, and says so. It is not interrupted in the
// middle, only between two tries.
func (p *persistence) persist(ctx context.Context, at string, do func(context.Context) error) error {
	began := time.Now()
	for tries := 0; ; tries++ {
		err := once(do)
		if err == nil || !mayPass(err) || time.Since(began) >= p.giveUp {
			return err
		}
		if time.Since(p.said) > sayAgainAfter {
			p.said = time.Now()
			p.progress.end()
			p.say("%s: %v; trying again for up to %s", at, err, span(p.giveUp))
		}
		pause := backoffFirst / 5 << min(tries, 5)
		if sleep(ctx, pause/2+rand.N(pause/2)) != nil {
			return err
		}
	}
}

func once(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	return do(ctx)
}

// mayPass reports whether an error may pass by itself.
func mayPass(err error) bool {
	switch streamutil.ErrorKind(err) {
	case "auth", "schema":
		return false
	}
	return errors.Is(err, streamutil.ErrUnavailable) || errors.Is(err, streamutil.ErrNotConfirmed)
}

// stopped says what to do after an error of the queue that ended long work.
func (c *change) stopped(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, streamutil.ErrFull):
		return errors.New("the queue is full: let the consumers work, or raise queue.max_backlog")
	case errors.Is(err, streamutil.ErrMemory):
		return fmt.Errorf("%s: %w; give it more memory (maxmemory), or let the consumers work", c.queue.Redis(), err)
	case errors.Is(err, streamutil.ErrNotConfirmed):
		return fmt.Errorf("%s: %w; see redis.durability, and what orderq doctor says", c.queue.Redis(), err)
	}
	return advised(ctx, c.queue, err)
}
