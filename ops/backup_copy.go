package ops

import (
	"context"
	"errors"

	"orderq/streamutil"
)

// backing is a backup while it is made. It goes on behind where it was, so that what
// moves within the queue meanwhile is met where it went.
type backing struct {
	persistence
	file *backupFile
	all  int64 // what was not finished when it began, and the dead letters
	upTo streamutil.EntryID
	// first is an order that was copied: as long as Redis knows it, it has not lost
	// its data meanwhile.
	first string

	entry, letter streamutil.EntryID // the last ones copied
}

// asked asks the queue one thing, again and again while Redis is away.
func asked[T any](ctx context.Context, p *persistence, question func(context.Context, *streamutil.Queue) (T, error)) (answer T, err error) {
	err = p.persist(ctx, p.queue.Redis(), func(ctx context.Context) error {
		answer, err = question(ctx, p.queue)
		return err
	})
	if ctx.Err() != nil {
		err = &exit{code: exitFailed, text: errInterrupted.Error()}
	}
	return answer, p.stopped(ctx, err)
}

// begin looks at what there is.
func (b *backing) begin(ctx context.Context) (streamutil.Snapshot, error) {
	s, err := b.inspect(ctx) // not again and again: who typed it may have named another server
	if err == nil {
		b.all = s.Length + s.Dead
		b.upTo, err = b.lastEntry(ctx)
	}
	return s, err
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

// stillThere fails if Redis has forgotten its data meanwhile: half a queue is no backup.
func (b *backing) stillThere(ctx context.Context) error {
	if b.first == "" {
		return nil
	}
	_, err := asked(ctx, &b.persistence, func(ctx context.Context, q *streamutil.Queue) (streamutil.Record, error) {
		return q.Lookup(ctx, b.first)
	})
	if errors.Is(err, streamutil.ErrNotFound) {
		return errors.New("orders were lost in Redis while the backup was made, by a flush or a failover: see what orderq doctor says, and keep the older backups")
	}
	return err
}

func (b *backing) lettersGone(ctx context.Context) (int64, error) {
	return asked(ctx, &b.persistence, func(ctx context.Context, q *streamutil.Queue) (int64, error) { return q.LettersGone(ctx) })
}

func (b *backing) unfinished(ctx context.Context) error {
	upTo, err := asked(ctx, &b.persistence, func(ctx context.Context, q *streamutil.Queue) (streamutil.EntryID, error) { return q.LastEntry(ctx) })
	if err != nil {
		return err
	}
	for copies, err := range copiesUpTo(ctx, &b.persistence, b.entry, upTo) {
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
	for n := (pageSize{}); ; {
		last := b.letter
		copies, err := asked(ctx, &b.persistence, func(ctx context.Context, q *streamutil.Queue) (copies []streamutil.Copy, err error) {
			copies, last, err = q.CopyDead(ctx, b.letter, n.next())
			return copies, err
		})
		if err != nil || len(copies) == 0 {
			return err
		}
		if err := b.keep(blockDead, copies); err != nil {
			return err
		}
		n.was(copies)
		b.letter = last
	}
}

func (b *backing) finished(ctx context.Context) error {
	for cursor := uint64(0); ; {
		next := cursor
		copies, err := asked(ctx, &b.persistence, func(ctx context.Context, q *streamutil.Queue) (copies []streamutil.Copy, err error) {
			copies, next, err = q.CopyFinished(ctx, cursor)
			return copies, err
		})
		if err == nil {
			err = b.keep(blockFinished, copies)
		}
		if cursor = next; err != nil || cursor == 0 {
			return err
		}
	}
}

func (b *backing) keep(what byte, copies []streamutil.Copy) error {
	if err := b.file.add(what, copies); err != nil {
		return err
	}
	if b.first == "" && len(copies) > 0 && copies[0].Mark == "" {
		b.first = copies[0].OrderID
	}
	n := b.file.counts
	b.progress.show("%d of %d orders and dead letters, %d finished", n.Unfinished+n.Dead, b.all, n.Finished)
	return nil
}
