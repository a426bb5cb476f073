package campaign

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Action is one thing done to one process.
type Action string

// The actions of a plan. What is killed is started again, and what is frozen
// wakes, a little later.
const (
	KillConsumer  Action = "kill consumer"
	StartConsumer Action = "start consumer"
	Freeze        Action = "freeze consumer"
	Thaw          Action = "thaw consumer"
	KillProducer  Action = "kill producer"
	StartProducer Action = "start producer"
	KillRedis     Action = "kill redis"
	StartRedis    Action = "start redis"
)

// Step is an action at a moment after the plan's beginning.
type Step struct {
	At     time.Duration
	Action Action
	// Victim is a consumer's number. Aimed steps take whichever consumer makes
	// the next call instead, and strike so long after that call: at once, in
	// the middle of it, or about an interval later, when that consumer has just
	// asked for the next slot and is about to use it.
	Victim int
	Aimed  bool
	After  time.Duration
	// Fault numbers the faults of a plan: the two steps of one share it.
	Fault int
}

// Plan says how many faults a campaign has, and how they are.
type Plan struct {
	Seed      uint64
	Span      time.Duration // the faults begin within it
	Consumers int
	Interval  time.Duration // between two calls

	Kills, Freezes            int // of consumers
	ProducerKills, RedisKills int
	FreezeAtLeast, FreezeUpTo time.Duration
	DownUpTo                  time.Duration // a killed process stays away so long
}

// Steps gives the plan's steps in the order of time. The same plan gives the
// same steps.
func (p Plan) Steps() []Step {
	b := builder{random: rand.New(rand.NewPCG(p.Seed, 1)), plan: p}
	b.faults(p.Kills, KillConsumer, StartConsumer, 0, p.DownUpTo)
	b.faults(p.Freezes, Freeze, Thaw, p.FreezeAtLeast, p.FreezeUpTo)
	b.faults(p.ProducerKills, KillProducer, StartProducer, 0, p.DownUpTo)
	b.faults(p.RedisKills, KillRedis, StartRedis, 0, p.DownUpTo)
	slices.SortStableFunc(b.steps, func(x, y Step) int { return cmp.Compare(x.At, y.At) })
	return b.steps
}

type builder struct {
	random *rand.Rand
	plan   Plan
	steps  []Step
	count  int
}

// faults spreads n faults over the span: each at random within its own share
// of it, so that two of the same kind do not fall together.
func (b *builder) faults(n int, begin, end Action, atLeast, upTo time.Duration) {
	for i := range n {
		at := time.Duration((float64(i) + b.random.Float64()) * float64(b.plan.Span) / float64(n))
		lasts := atLeast + time.Duration(b.random.Float64()*float64(upTo-atLeast))
		s := Step{At: at, Action: begin, Victim: b.random.IntN(b.plan.Consumers), Fault: b.count}
		s.Aimed, s.After = b.aim()
		b.count++
		b.steps = append(b.steps, s, Step{At: at + lasts, Action: end, Victim: s.Victim, Fault: s.Fault})
	}
}

// askWindow is how long before its slot a consumer is sure to have asked for it.
const askWindow = 5 * time.Millisecond

// aim chooses among no aim, the middle of a call and the use of a slot.
func (b *builder) aim() (aimed bool, after time.Duration) {
	kind, early := b.random.IntN(3), b.random.Float64()
	switch kind {
	case 0:
		return false, 0
	case 1:
		return true, 0
	default:
		return true, b.plan.Interval - time.Duration(early*float64(askWindow))
	}
}
