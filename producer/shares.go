package producer

import "sync"

// shares keeps one client from taking all places: slow bodies from one address
// would shut everybody out.
type shares struct {
	most int

	mu    sync.Mutex
	taken map[string]int
}

// newShares lets a client have three quarters of the places.
func newShares(places int) *shares {
	return &shares{most: max(places-places/4, 1), taken: map[string]int{}}
}

// take reports whether the client may have one more.
func (s *shares) take(client string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[client] == s.most {
		return false
	}
	s.taken[client]++
	return true
}

func (s *shares) giveBack(client string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[client]--; s.taken[client] == 0 {
		delete(s.taken, client)
	}
}
