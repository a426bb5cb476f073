package ops_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// circulate has orders rejected and sent again without an end: each is at any time
// in the queue or a dead letter, and soon the other.
func (w *worker) circulate(ctx context.Context) error {
	for k := w.k + 1; ctx.Err() == nil; k++ {
		taken, err := w.q.Take(ctx, streamutil.Take{Consumer: "w", K: k, N: 7, Epoch: w.slot.Epoch, Slot: w.slot.Number})
		if err != nil {
			return err
		}
		for _, o := range taken.Orders {
			s := streamutil.Settlement{Consumer: "w", K: k, Entry: o.Entry, OrderID: o.ID, Outcome: streamutil.OutcomeRejected, Status: 422}
			if _, err := w.q.Settle(ctx, s); err != nil {
				return err
			}
		}
		letters, err := w.q.DeadLetters(ctx, streamutil.EntryID{}, 5)
		if err != nil {
			return err
		}
		for _, l := range letters {
			if _, err := w.q.Requeue(ctx, l.ID, streamutil.Act{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Whatever moves meanwhile, a backup has every order.
func TestBackupMissesNothing(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	w := d.worker()
	all := map[string]bool{}
	for i := range 150 {
		id := fmt.Sprint("M-", i)
		all[id] = true
		d.submit(id)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.circulate(ctx) }()
	for range 5 {
		missing := map[string]bool{}
		for id := range all {
			missing[id] = true
		}
		for _, line := range saved(t, d.backup(t.TempDir())) {
			id, _, _ := strings.Cut(line, " ")
			delete(missing, id)
		}
		if len(missing) > 0 {
			t.Errorf("%d orders are not in the file: %v", len(missing), missing)
		}
	}
	stop()
	if err := <-ended; err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}
