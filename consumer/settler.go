package consumer

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"orderq/streamutil"
)

// repeatFor is how long settled outcomes are kept, to be told again should
// Redis forget the last seconds.
const repeatFor = 10 * time.Second

// settler tells Redis what attempts meant, again and again until it answers.
type settler struct {
	queue   *streamutil.Queue
	clock   clock
	trouble *trouble
	log     *zap.Logger

	mu     sync.Mutex
	recent []told
}

type told struct {
	at         time.Duration
	settlement streamutil.Settlement
}

// settle returns when the settlement is confirmed, or with ctx.
func (s *settler) settle(ctx context.Context, st streamutil.Settlement) (streamutil.Settled, error) {
	for wait := redisBackoff(); ; {
		settled, err := s.queue.Settle(ctx, st)
		if err == nil {
			s.trouble.over("settle")
			s.remember(st)
			return settled, nil
		}
		s.trouble.met("settle", err)
		if s.clock.sleep(ctx, wait.next()) != nil {
			return streamutil.Settled{}, err
		}
	}
}

// release returns when the entries are handed back or are another's, or with ctx.
func (s *settler) release(ctx context.Context, c claim, ids ...streamutil.EntryID) error {
	for wait := redisBackoff(); ; {
		_, err := s.queue.Release(ctx, c.name, c.k, ids...)
		if err == nil || isGone(err) {
			s.trouble.over("release")
			return nil
		}
		s.trouble.met("release", err)
		if s.clock.sleep(ctx, wait.next()) != nil {
			return err
		}
	}
}

func (s *settler) remember(st streamutil.Settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	for len(s.recent) > 0 && s.recent[0].at < now-repeatFor {
		s.recent = s.recent[1:]
	}
	s.recent = append(s.recent, told{at: now, settlement: st})
}

// repeat tells the last seconds' outcomes again: a new epoch has begun, and
// what was confirmed may have been lost with the old one.
func (s *settler) repeat(ctx context.Context) {
	s.mu.Lock()
	again := s.recent
	s.recent = nil
	s.mu.Unlock()
	for _, t := range again {
		if _, err := s.settle(ctx, t.settlement); err != nil {
			return
		}
	}
	if len(again) > 0 {
		s.log.Info("told the last outcomes again, for Redis may have forgotten them", zap.Int("outcomes", len(again)))
	}
}
