package streamutil

import (
	"context"
	"sync"
)

// lanes is how many calls of gathered orders are under way at once: while Redis
// works on one, the next comes together.
const lanes = 2

// gathering lets orders that are submitted at the same time travel together, as
// databases do with commits (group commit). An order that comes alone leaves at
// once; under load those that come while others are on their way share the costs
// of a call, and its WAIT.
type gathering struct {
	mu      sync.Mutex
	waiting []*gathered
	busy    int // lanes in use
}

type gathered struct {
	ctx   context.Context //nolint:containedctx // of the caller who waits for done
	order NewOrder
	done  chan Submission
}

// submit gives an order to the next call of enqueue and waits for its answer.
func (g *gathering) submit(ctx context.Context, o NewOrder, enqueue func(context.Context, bool, ...NewOrder) []Submission) Submission {
	s := &gathered{ctx: ctx, order: o, done: make(chan Submission, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, s)
	if g.busy < lanes {
		g.busy++
		go g.run(enqueue)
	}
	g.mu.Unlock()
	select {
	case got := <-s.done:
		return got
	case <-ctx.Done():
		return Submission{Err: wrap(enqueueScript.name, ctx.Err())}
	}
}

// run is one lane: it sends what waits until nothing does. Each call has its own
// time: a caller who leaves takes no answer from the others.
func (g *gathering) run(enqueue func(context.Context, bool, ...NewOrder) []Submission) {
	for group := g.next(); len(group) > 0; group = g.next() {
		orders := make([]NewOrder, len(group))
		for i, s := range group {
			orders[i] = s.order
		}
		for i, got := range enqueue(context.Background(), true, orders...) {
			group[i].done <- got
		}
	}
}

// next takes a chunk of those whose callers still wait. If there is none, the
// lane is given up.
func (g *gathering) next() []*gathered {
	g.mu.Lock()
	defer g.mu.Unlock()
	var group []*gathered
	size := 0
	for len(g.waiting) > 0 && len(group) < chunkOrders && size < chunkBytes {
		s := g.waiting[0]
		g.waiting[0] = nil
		g.waiting = g.waiting[1:]
		if s.ctx.Err() == nil {
			group, size = append(group, s), size+len(s.order.Body)
		}
	}
	if len(group) == 0 {
		g.busy--
	}
	return group
}
