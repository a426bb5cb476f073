package ops

import (
	"context"
	"errors"

	"orderq/streamutil"
)

// backing is a backup while it is made. It goes on behind where it was, so that what
// moves within the queue meanwhile is met where it went.
type backing struct {
	*change
	file     *backupFile
	progress *progress
	// When it began: what was not finished, with the dead letters, and what had ever
	// been accepted.
	all, accepted int64

	entry, letter streamutil.EntryID // the last ones copied
}

func (c *change) newBacking(file *backupFile, s streamutil.Snapshot) *backing {
	return &backing{change: c, file: file, progress: newProgress(c.view), all: s.Length + s.Dead, accepted: s.Totals.Accepted}
}

// mostRounds bounds how often what moved is looked for. A round lasts as long as it
// takes to read what came since the one before, so the second is nearly always the last.
const mostRounds = 1000

// copyAll copies first what is not finished, then the dead letters. An order can go the
// other way meanwhile, if it is requeued: so all that is new is copied once more, until
// no letter has left within a round. What was finished meanwhile comes last.
func (b *backing) copyAll(ctx context.Context) error {
	defer b.progress.end()
	for round := 0; ; round++ {
		if round == mostRounds {
			return errors.New("dead letters are sent again faster than they can be copied: make the backup when that is over")
		}
		before, err := b.lettersGone(ctx)
		if err == nil {
			err = b.unfinished(ctx)
		}
		if err == nil {
			err = b.dead(ctx)
		}
		if err != nil {
			return err
		}
		after, err := b.lettersGone(ctx)
		if err != nil {
			return err
		}
		if after != before {
			continue
		}
		if err := b.finished(ctx); err != nil {
			return err
		}
		return b.stillThere(ctx)
	}
}

// stillThere fails if Redis has forgotten orders meanwhile: half a queue is no backup.
func (b *backing) stillThere(ctx context.Context) error {
	s, err := b.inspect(ctx)
	if err == nil && s.Totals.Accepted < b.accepted {
		err = errors.New("orders were lost in Redis while the backup was made, by a flush or a failover: see what orderq doctor says, and keep the older backups")
	}
	return err
}

func (b *backing) lettersGone(ctx context.Context) (int64, error) {
	return call(ctx, b.queue, func(ctx context.Context, q *streamutil.Queue) (int64, error) { return q.LettersGone(ctx) })
}

func (b *backing) unfinished(ctx context.Context) error {
	upTo, err := b.lastEntry(ctx)
	if err != nil {
		return err
	}
	for copies, err := range b.copiesUpTo(ctx, b.entry, upTo) {
		if err == nil {
			err = b.keep(blockUnfinished, copies)
		}
		if err != nil {
			return err
		}
		b.entry = copies[len(copies)-1].Entry
	}
	return nil
}

func (b *backing) dead(ctx context.Context) error {
	for {
		var last streamutil.EntryID
		copies, err := call(ctx, b.queue, func(ctx context.Context, q *streamutil.Queue) (copies []streamutil.Copy, err error) {
			copies, last, err = q.CopyDead(ctx, b.letter, page)
			return copies, err
		})
		if err != nil || len(copies) == 0 {
			return err
		}
		if err := b.keep(blockDead, copies); err != nil {
			return err
		}
		b.letter = last
	}
}

func (b *backing) finished(ctx context.Context) error {
	for cursor := uint64(0); ; {
		copies, err := call(ctx, b.queue, func(ctx context.Context, q *streamutil.Queue) (copies []streamutil.Copy, err error) {
			copies, cursor, err = q.CopyFinished(ctx, cursor)
			return copies, err
		})
		if err == nil {
			err = b.keep(blockFinished, copies)
		}
		if err != nil || cursor == 0 {
			return err
		}
	}
}

func (b *backing) keep(what byte, copies []streamutil.Copy) error {
	if err := b.file.add(what, copies); err != nil {
		return err
	}
	n := b.file.counts
	b.progress.show("%d of %d orders and dead letters, %d finished", n.Unfinished+n.Dead, b.all, n.Finished)
	return nil
}
