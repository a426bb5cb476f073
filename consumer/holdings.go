package consumer

import (
	"maps"
	"slices"
	"sync"

	"orderq/streamutil"
)

// claim names the take that handed an entry to this process: settling and
// releasing act only with the right one.
type claim struct {
	name string
	k    int64
}

// holdings are the entries handed to this process whose settling or release it
// has not seen confirmed, under whatever name it took them.
type holdings struct {
	mu     sync.Mutex
	claims map[streamutil.EntryID]claim
	freed  chan struct{} // one token: something was let go
}

func newHoldings() *holdings {
	return &holdings{claims: map[streamutil.EntryID]claim{}, freed: make(chan struct{}, 1)}
}

// add takes note of an entry. If the process held it already, under an older
// claim, its call may still run and settles by the new one: it must not be
// started a second time.
func (h *holdings) add(id streamutil.EntryID, c claim) (held bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, held = h.claims[id]
	h.claims[id] = c
	return held
}

// claim returns the present claim to an entry.
func (h *holdings) claim(id streamutil.EntryID) claim {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.claims[id]
}

// count is how many are held.
func (h *holdings) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.claims)
}

// drop forgets an entry whose settling or release by this claim was confirmed.
// One that was handed out anew meanwhile stays.
func (h *holdings) drop(id streamutil.EntryID, c claim) (dropped bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.claims[id] != c {
		return false
	}
	delete(h.claims, id)
	select {
	case h.freed <- struct{}{}:
	default:
	}
	return true
}

// entries lists what is held, oldest first.
func (h *holdings) entries() []streamutil.EntryID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.SortedFunc(maps.Keys(h.claims), streamutil.EntryID.Compare)
}
