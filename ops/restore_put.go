package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"orderq/streamutil"
)

// putAll puts the file's orders in: first what must not be sent, then what is to be.
// Whatever ends it, it may be begun again.
func (r *restoring) putAll(ctx context.Context) error {
	defer r.progress.end()
	if err := r.holdBack(ctx); err != nil {
		return err
	}
	if err := r.note(false, r.forecast.Waiting+r.forecast.DeadLetters); err != nil {
		return err
	}
	for _, what := range []byte{blockFinished, blockDead, blockUnfinished} {
		for copies, err := range r.backup.orders(what) {
			if err == nil {
				err = r.put(ctx, what, r.newest(copies))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// holdBack pauses the queue, so that a person can look before anything is sent. A pause
// that ends by itself, or when the token is mended, would not do.
func (r *restoring) holdBack(ctx context.Context) error {
	s, err := r.inspect(ctx) // a person may have thought for long about the question
	if err != nil {
		return err
	}
	r.result.Paused = s.Pause != nil
	lasts := s.Pause != nil && s.Pause.Until.IsZero() && s.Pause.Reason == string(streamutil.QueuePaused)
	if r.noPause || r.forecast.Waiting == 0 || lasts {
		return nil
	}
	by := r.by
	if by.Why == "" {
		by.Why = "restore of " + r.file
	}
	if s.Pause != nil {
		r.say("note: this replaces a pause (%s) by %s: %s", s.Pause.Reason, orNone(s.Pause.By.Who), orNone(s.Pause.By.Why))
	}
	r.result.Paused = true
	return r.apply(ctx, func(ctx context.Context, q *streamutil.Queue) error { return q.Pause(ctx, 0, by) })
}

// put puts a page in, and goes on while Redis is away.
func (r *restoring) put(ctx context.Context, what byte, copies []streamutil.Copy) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	if err := r.lookAgain(ctx, what, copies); err != nil {
		return err
	}
	copies = r.prepared(what, copies)
	err := r.persist(ctx, r.queue.Redis(), func(ctx context.Context) error {
		done, err := r.queue.Import(ctx, copies, r.by)
		for _, d := range done {
			if d.Err != nil {
				return d.Err
			}
			r.count(what, copies[0], d)
			copies = copies[1:]
		}
		return err
	})
	n := r.result
	r.progress.show("%d of %d orders wait again, %d dead letters, %d finished", n.Waiting, r.forecast.Waiting, n.DeadLetters, n.Finished)
	return r.stopped(ctx, err)
}

// lookAgain pauses the queue after all, if nothing was to wait again and something is,
// by what happened while the question was asked.
func (r *restoring) lookAgain(ctx context.Context, what byte, copies []streamutil.Copy) error {
	if what != blockUnfinished || r.forecast.Waiting > 0 || r.noPause {
		return nil
	}
	known, err := r.known(ctx, copies)
	if err != nil {
		return err
	}
	for i, c := range copies {
		if r.fate(what, c, known[i]) == "waiting" {
			r.forecast.Waiting++
		}
	}
	if r.forecast.Waiting == 0 {
		return nil
	}
	return r.holdBack(ctx)
}

// prepared are the orders of a page as they are put in.
func (r *restoring) prepared(what byte, copies []streamutil.Copy) []streamutil.Copy {
	for i := range copies {
		c := &copies[i]
		c.Undo = r.backup.about.MadeBy == madeByPurge
		if what != blockFinished && r.named(*c) {
			c.State, c.Outcome = streamutil.Delivered, streamutil.OutcomeDelivered
		}
	}
	return copies
}

func (r *restoring) count(what byte, c streamutil.Copy, d streamutil.Imported) {
	n := &r.result
	put := d.Result == streamutil.ImportPut || d.Result == streamutil.ImportEnded
	switch {
	case what == blockFinished:
		if put {
			n.Finished++
		}
	case d.Result == streamutil.ImportConflict:
		n.Conflicts++
	case put && c.State == streamutil.Delivered, d.State == streamutil.Delivered:
		n.Delivered++
	case put && (c.State == streamutil.Dead || c.Mark != ""):
		n.DeadLetters++
	case put:
		n.Waiting++
		if c.Attempts > 0 {
			n.SentBefore++
		}
	default:
		n.Known++
	}
}

// note records the restore in the queue's log, also one that is interrupted.
func (r *restoring) note(ended bool, orders int) error {
	_, err := call(context.Background(), r.queue, func(ctx context.Context, q *streamutil.Queue) (struct{}, error) {
		return struct{}{}, q.NoteImport(ctx, ended, orders, r.by)
	})
	return err
}

// finish tells what became of the restore, however it ended.
func (r *restoring) finish(stopped error) error {
	n := &r.result
	n.Seconds = seconds(time.Since(r.began))
	err := r.note(true, n.Waiting+n.DeadLetters)
	if stopped != nil {
		err = nil // for the same reason, as a rule
	}
	if n.Conflicts > 0 {
		r.say("%s left out: the queue knows other orders by their ids; --dry-run -o jsonl names them", several(n.Conflicts, "order"))
	}
	if n.Paused && n.Waiting > 0 {
		r.say("the queue is paused; to have them sent: %s resume", r.again)
	}
	if n.Waiting > 0 {
		r.undo("purge  (while it is paused: all that waits, the other orders too)")
	}
	if shown := n.show(r.view); shown != nil {
		err = errors.Join(err, shown)
	}
	if stopped != nil {
		return &exit{code: exitFailed, text: errors.Join(fmt.Errorf("%w; the same command goes on where this one stopped", stopped), err).Error()}
	}
	return err
}
