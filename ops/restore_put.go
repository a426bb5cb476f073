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
func (r *restoring) putAll(ctx context.Context, s streamutil.Snapshot) error {
	defer r.progress.end()
	if err := r.holdBack(ctx, s); err != nil {
		return err
	}
	if err := r.note(false, r.forecast.Waiting+r.forecast.DeadLetters); err != nil {
		return err
	}
	if err := r.putBlocks(ctx, blockFinished, r.countFinished); err != nil {
		return err
	}
	if err := r.putDelivered(ctx); err != nil {
		return err
	}
	if err := r.putBlocks(ctx, blockDead, r.countOrder); err != nil {
		return err
	}
	return r.putBlocks(ctx, blockUnfinished, r.countOrder)
}

// counter takes note of what became of an order.
type counter func(streamutil.Copy, streamutil.Imported)

func (r *restoring) putBlocks(ctx context.Context, what byte, count counter) error {
	for copies, err := range r.backup.orders(what) {
		if err == nil {
			err = r.put(ctx, copies, count)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// holdBack pauses the queue, so that a person can look before anything is sent.
func (r *restoring) holdBack(ctx context.Context, s streamutil.Snapshot) error {
	if r.noPause || r.forecast.Waiting == 0 || (s.Pause != nil && s.Pause.Until.IsZero()) {
		r.result.Paused = s.Pause != nil
		return nil
	}
	by := r.by
	if by.Why == "" {
		by.Why = "restore of " + r.file
	}
	r.result.Paused = true
	return r.apply(ctx, func(ctx context.Context, q *streamutil.Queue) error { return q.Pause(ctx, 0, by) })
}

// putDelivered makes known what was delivered since, as --delivered says: orders of
// the file, and others.
func (r *restoring) putDelivered(ctx context.Context) error {
	if r.deliveredFile == "" {
		return nil
	}
	var copies []streamutil.Copy
	for id, err := range deliveredIn(r.deliveredFile) {
		if err != nil {
			return err
		}
		copies = append(copies, streamutil.Copy{OrderID: id, State: streamutil.Delivered})
		if len(copies) == page {
			if err := r.put(ctx, copies, uncounted); err != nil {
				return err
			}
			copies = nil
		}
	}
	return r.put(ctx, copies, uncounted)
}

// put puts a page in, and goes on while Redis is away.
func (r *restoring) put(ctx context.Context, copies []streamutil.Copy, count counter) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	for i := range copies {
		copies[i].Undo = r.backup.about.MadeBy == madeByPurge
	}
	err := r.persist(ctx, r.queue.Redis(), func(ctx context.Context) error {
		done, err := r.queue.Import(ctx, copies, r.by)
		for _, d := range done {
			if d.Err != nil {
				return d.Err
			}
			count(copies[0], d)
			copies = copies[1:]
		}
		return err
	})
	n := r.result
	r.progress.show("%d of %d orders wait again, %d dead letters, %d finished", n.Waiting, r.forecast.Waiting, n.DeadLetters, n.Finished)
	return r.stopped(ctx, err)
}

func uncounted(streamutil.Copy, streamutil.Imported) {}

func (r *restoring) countFinished(_ streamutil.Copy, d streamutil.Imported) {
	if d.Result == streamutil.ImportPut {
		r.result.Finished++
	}
}

func (r *restoring) countOrder(c streamutil.Copy, d streamutil.Imported) {
	n := &r.result
	put := d.Result == streamutil.ImportPut
	switch {
	case put && (c.State == streamutil.Dead || c.Mark != ""):
		n.DeadLetters++
	case put:
		n.Waiting++
		if c.Attempts > 0 {
			n.SentBefore++
		}
	case d.Result == streamutil.ImportConflict:
		n.Conflicts++
	case d.State == streamutil.Delivered:
		n.Delivered++
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
