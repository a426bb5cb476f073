package consumer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/streamutil"
)

func TestHoldings(t *testing.T) {
	h := newHoldings()
	one, two := streamutil.EntryID{Ms: 9, Seq: 10}, streamutil.EntryID{Ms: 9, Seq: 9}
	first, again := claim{"a", 1}, claim{"b", 1}

	if h.add(one, first) || h.add(two, claim{"a", 2}) {
		t.Fatal("entries are held that were never added")
	}
	if diff := cmp.Diff([]streamutil.EntryID{two, one}, h.entries()); diff != "" {
		t.Errorf("entries, oldest first (-want +got):\n%s", diff)
	}
	if !h.add(one, again) {
		t.Error("an entry that was handed out anew is not held")
	}
	if h.drop(one, first) {
		t.Error("dropped by a claim that is not the present one")
	}
	if got := h.claim(one); got != again {
		t.Errorf("claim %v, want the present one %v", got, again)
	}
	if len(h.freed) != 0 {
		t.Error("something was let go before anything was")
	}
	if !h.drop(one, again) || h.drop(one, again) {
		t.Error("the present claim must drop the entry, once")
	}
	h.drop(two, claim{"a", 2})
	if len(h.freed) != 1 || len(h.entries()) != 0 {
		t.Errorf("%d tokens and %v held; want one token for all that was let go, and nothing", len(h.freed), h.entries())
	}
}

// len is how many entries are held: only tests ask.
func (h *holdings) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.claims)
}
