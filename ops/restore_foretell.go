package ops

import (
	"context"

	"orderq/streamutil"
)

// fated is an order of a backup, and what becomes of it: a line of restore --dry-run
// -o jsonl; scripts rely on its keys.
type fated struct {
	OrderID  string           `json:"order_id"`
	State    streamutil.State `json:"state"`   // in the file
	Becomes  string           `json:"becomes"` // waiting, delivered, known, conflict or dead
	Attempts int              `json:"attempts"`
	Body     *string          `json:"body,omitempty"`
}

// foretell compares the file with the queue, and tells what a restore would do.
func (r *restoring) foretell(ctx context.Context) error {
	defer r.progress.end()
	r.forecast.Finished = r.backup.counts.Finished
	for _, what := range []byte{blockFinished, blockDead} {
		for copies, err := range r.backup.orders(what) {
			if err != nil {
				return err
			}
			r.noteEnded(copies)
		}
	}
	for _, what := range []byte{blockDead, blockUnfinished} {
		for copies, err := range r.backup.orders(what) {
			if err == nil {
				err = r.foretellPage(ctx, what, copies)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// noteEnded remembers what ended while the backup was made.
func (r *restoring) noteEnded(copies []streamutil.Copy) {
	for _, c := range copies {
		if c.Mark != "" || c.Finished.Before(r.backup.about.Begun) {
			continue
		}
		if r.ended[c.State] == nil {
			r.ended[c.State] = idSet{}
		}
		r.ended[c.State].add(c.OrderID)
	}
}

func (r *restoring) foretellPage(ctx context.Context, what byte, copies []streamutil.Copy) error {
	if ctx.Err() != nil {
		return &exit{code: exitFailed, text: errInterrupted.Error()}
	}
	ids := make([]streamutil.NewOrder, 0, len(copies))
	for _, c := range copies {
		ids = append(ids, streamutil.NewOrder{ID: c.Name(), Body: c.Body})
	}
	known, err := call(ctx, r.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Known, error) { return q.Known(ctx, ids) })
	if err != nil {
		return err
	}
	for i, c := range copies {
		f := fated{OrderID: c.OrderID, State: c.State, Attempts: c.Attempts, Becomes: r.fate(what, c, known[i])}
		r.forecast.count(f)
		if !r.dryRun || r.format != "jsonl" {
			continue
		}
		if r.body {
			f.Body = new(string(c.Body))
		}
		r.progress.end()
		if err := r.json(f); err != nil {
			return err
		}
	}
	r.progress.show("%d of %d compared", r.forecast.compared(), r.backup.counts.Unfinished+r.backup.counts.Dead)
	return nil
}

// fate is what becomes of an order of the file.
func (r *restoring) fate(what byte, c streamutil.Copy, k streamutil.Known) string {
	purged := r.backup.about.MadeBy == madeByPurge && k.Purged
	switch {
	case k.Conflict && c.Mark == "":
		return "conflict"
	case k.State == streamutil.Delivered:
		return "delivered"
	case k.State != "" && !purged:
		return "known"
	case what == blockDead || c.Mark != "":
		return "dead"
	case r.delivered.has(c.OrderID), r.ended[streamutil.Delivered].has(c.OrderID):
		return "delivered"
	case r.ended[streamutil.Dead].has(c.OrderID), r.ended[streamutil.Cancelled].has(c.OrderID):
		return "known"
	}
	return "waiting"
}

func (r *restoreResult) count(f fated) {
	switch f.Becomes {
	case "waiting":
		r.Waiting++
		if f.Attempts > 0 {
			r.SentBefore++
		}
	case "delivered":
		r.Delivered++
	case "conflict":
		r.Conflicts++
	case "dead":
		r.DeadLetters++
	default:
		r.Known++
	}
}

func (r *restoreResult) compared() int {
	return r.Waiting + r.Delivered + r.Conflicts + r.DeadLetters + r.Known
}
