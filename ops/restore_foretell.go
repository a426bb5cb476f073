package ops

import (
	"context"
	"slices"

	"orderq/streamutil"
)

// fated is an order of a backup, and what becomes of it: a line of restore --dry-run
// -o jsonl; scripts rely on its keys.
type fated struct {
	OrderID  string           `json:"order_id"`
	State    streamutil.State `json:"state"`   // in the file
	Becomes  string           `json:"becomes"` // waiting, delivered, known, conflict or dead
	Attempts int              `json:"attempts"`
	Body     *octets          `json:"body,omitempty"`
}

// foretell compares the file with the queue, and tells what a restore would do.
func (r *restoring) foretell(ctx context.Context) error {
	defer r.progress.end()
	r.forecast.Finished = r.backup.counts.Finished
	for _, note := range []struct {
		what byte
		of   func(streamutil.Copy)
	}{{blockFinished, r.noteEnded}, {blockUnfinished, r.noteLate}, {blockDead, r.noteEnded}} {
		for copies, err := range r.backup.orders(note.what) {
			if err != nil {
				return err
			}
			for _, c := range copies {
				note.of(c)
			}
		}
	}
	for _, what := range []byte{blockDead, blockUnfinished} {
		for copies, err := range r.backup.orders(what) {
			if err == nil {
				err = r.foretellPage(ctx, what, r.newest(copies))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// noteEnded remembers what ended while the backup was made.
func (r *restoring) noteEnded(c streamutil.Copy) {
	if c.Mark != "" || c.Finished.Before(r.backup.about.Begun) || r.superseded(c) {
		return
	}
	if r.ended[c.State] == nil {
		r.ended[c.State] = idSet{}
	}
	r.ended[c.State].add(c.OrderID)
}

// noteLate remembers what came, or was requeued, while the backup was made.
func (r *restoring) noteLate(c streamutil.Copy) {
	if c.Mark == "" && c.Entry.Compare(r.backup.about.Last) > 0 {
		r.late[hashOf(c.OrderID)] = c.Entry
	}
}

// superseded reports whether an order stands once more in the file, as it was later: it
// was waiting or dead, and requeued after that.
func (r *restoring) superseded(c streamutil.Copy) bool {
	later, ok := r.late[hashOf(c.OrderID)]
	return ok && c.Mark == "" && later.Compare(c.Entry) > 0
}

// newest leaves out what stands in the file once more.
func (r *restoring) newest(copies []streamutil.Copy) []streamutil.Copy {
	return slices.DeleteFunc(copies, r.superseded)
}

func (r *restoring) foretellPage(ctx context.Context, what byte, copies []streamutil.Copy) error {
	if ctx.Err() != nil {
		return &exit{code: exitFailed, text: errInterrupted.Error()}
	}
	known, err := r.known(ctx, copies)
	if err != nil {
		return err
	}
	for i, c := range copies {
		if known[i].State != "" {
			r.acquainted++
		}
		f := fated{OrderID: c.OrderID, State: c.State, Attempts: c.Attempts, Becomes: r.fate(what, c, known[i])}
		r.forecast.count(f)
		if !r.dryRun || r.format != "jsonl" {
			continue
		}
		if r.body {
			f.Body = new(octets(c.Body))
		}
		r.progress.end()
		if err := r.json(f); err != nil {
			return err
		}
	}
	r.progress.show("%d of %d compared", r.forecast.compared(), r.backup.counts.Unfinished+r.backup.counts.Dead)
	return nil
}

// known asks what the queue knows of orders.
func (r *restoring) known(ctx context.Context, copies []streamutil.Copy) ([]streamutil.Known, error) {
	ids := make([]streamutil.NewOrder, 0, len(copies))
	for _, c := range copies {
		ids = append(ids, streamutil.NewOrder{ID: c.Name(), Body: c.Body})
	}
	return asked(ctx, &r.persistence, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Known, error) { return q.Known(ctx, ids) })
}

// named reports whether --delivered has an order of the file.
func (r *restoring) named(c streamutil.Copy) bool { return c.Mark == "" && r.delivered.has(c.OrderID) }

// fate is what becomes of an order of the file.
func (r *restoring) fate(what byte, c streamutil.Copy, k streamutil.Known) string {
	purged := r.backup.about.MadeBy == madeByPurge && k.Purged
	waits := k.State == streamutil.Waiting || k.State == streamutil.Parked
	switch {
	case k.Conflict && c.Mark == "":
		return "conflict"
	case k.State == streamutil.Delivered, r.named(c) && (waits || k.State == ""):
		return "delivered"
	case k.State != "" && !purged, r.named(c):
		return "known"
	case what == blockDead || c.Mark != "":
		return "dead"
	case r.ended[streamutil.Delivered].has(c.OrderID):
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
