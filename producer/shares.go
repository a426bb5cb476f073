package producer

import "sync"

// places bound what is under way at once.
type places struct {
	free chan struct{} // one token for each that is taken

	// most is how many one client can have: slow bodies from one address would
	// shut everybody out.
	most  int
	mu    sync.Mutex
	taken map[string]int // by client
}

// newPlaces lets a client have three quarters of the places.
func newPlaces(n int) *places {
	return &places{free: make(chan struct{}, n), most: max(n-n/4, 1), taken: map[string]int{}}
}

// serve refuses what finds no place at once: a queue in front of the queue would
// only hide that there is too much.
func (p *places) serve(client string, next func() *problem) *problem {
	if !p.take(client) {
		return problemOverloaded()
	}
	defer p.giveBack(client)
	select {
	case p.free <- struct{}{}:
		defer func() { <-p.free }()
		return next()
	default:
		return problemOverloaded()
	}
}

// take reports whether the client may have one more.
func (p *places) take(client string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[client] == p.most {
		return false
	}
	p.taken[client]++
	return true
}

func (p *places) giveBack(client string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[client]--; p.taken[client] == 0 {
		delete(p.taken, client)
	}
}
