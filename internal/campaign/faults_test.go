package campaign

import (
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"orderq/internal/partner"
)

// aimWithin is how long an aimed fault waits for a call to strike at.
const aimWithin = 2 * time.Second

// saboteur carries out a plan.
type saboteur struct {
	*system

	victims map[int]int // fault → the consumer it struck
	done    map[Action]int
}

// sabotage carries out the plan's steps, each at its moment or, if the ones
// before took longer, after them. It returns what was done how often.
func (s *system) sabotage(p Plan) map[Action]int {
	s.t.Helper()
	b := &saboteur{system: s, victims: map[int]int{}, done: map[Action]int{}}
	begin := time.Now()
	for _, step := range p.Steps() {
		wait(s.t, time.Until(begin.Add(step.At)))
		b.do(step)
	}
	return b.done
}

// wait lets time pass; that is what a plan is made of.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

func (b *saboteur) do(step Step) {
	b.t.Helper()
	b.done[step.Action]++
	switch step.Action {
	case KillConsumer:
		b.victim(step).kill()
	case Freeze:
		b.victim(step).signal(syscall.SIGSTOP)
	case Thaw:
		b.struck(step).signal(syscall.SIGCONT)
	case StartConsumer:
		b.struck(step).start()
	case KillProducer:
		b.producer.kill()
	case StartProducer:
		b.producer.start()
	case KillRedis:
		b.redis.Kill()
	case StartRedis:
		b.redis.Restart()
	}
}

// struck is the consumer that a fault began with.
func (b *saboteur) struck(step Step) *process { return b.consumers[b.victims[step.Fault]] }

// victim chooses a running consumer.
func (b *saboteur) victim(step Step) *process {
	n := step.Victim
	if step.Aimed {
		timeout := time.NewTimer(aimWithin)
		defer timeout.Stop()
		select {
		case n = <-b.arrivals:
			wait(b.t, step.After)
		case <-timeout.C:
		}
	}
	for range b.consumers {
		if b.consumers[n].running() && (step.Action != KillConsumer || !b.spared(n)) {
			break
		}
		n = (n + 1) % len(b.consumers)
	}
	b.victims[step.Fault] = n
	return b.consumers[n]
}

// spared is a consumer that calls for an order the third time. Its death might
// be the third that this order sees, which makes it a dead letter: that is as
// designed, and not what this campaign asks.
func (b *saboteur) spared(n int) bool {
	return slices.ContainsFunc(b.partner.Calls(), func(c partner.Call) bool {
		return c.Ended == 0 && c.Attempt >= 3 && c.Header.Get(consumerHeader) == strconv.Itoa(n)
	})
}
