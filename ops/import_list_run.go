package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"orderq/streamutil"
)

// A batch of the list is small enough that neither server is busy with it for long.
const (
	listBatch = 50
	listBytes = 1 << 20
)

// importing is an import while it runs.
type importing struct {
	*change
	*listImport
	source   *streamutil.SourceList
	items    int64 // in the list when it began
	began    time.Time
	result   listResult
	progress *progress
	persistence
}

func newImporting(c *change, l *listImport, from *streamutil.Client) *importing {
	im := &importing{change: c, listImport: l, began: time.Now(), progress: newProgress(c.view)}
	im.persistence = persistence{change: c, progress: im.progress, giveUp: l.giveUp}
	if from != nil {
		im.source = from.SourceList(l.key, l.end == "tail")
	} else {
		im.source = c.queue.SourceList(l.key, l.end == "tail")
	}
	im.result = listResult{Key: l.key, From: im.source.Redis()}
	return im
}

// run moves batch after batch until the list is empty.
func (im *importing) run(ctx context.Context) error {
	next := time.Now()
	for {
		if ctx.Err() != nil {
			return errInterrupted
		}
		got, err := im.readBatch(ctx)
		if errors.Is(err, streamutil.ErrNoList) {
			im.result.Left = 0
			return nil
		}
		if err != nil {
			return im.sourceFault(ctx, err)
		}
		moved, err := im.move(ctx, got)
		im.result.Left = max(0, got.Length-int64(moved))
		if err != nil {
			return err
		}
		im.progress.show("%d of %d read, %d a second", im.result.Read, max(im.items, int64(im.result.Read)), im.result.rate(im.began))
		next = im.after(next, moved)
		if err := sleep(ctx, time.Until(next)); err != nil {
			return errInterrupted
		}
	}
}

// after is when the next batch may begin. Time that was lost is not made up for.
func (im *importing) after(next time.Time, orders int) time.Time {
	if im.rate == 0 {
		return time.Time{}
	}
	if now := time.Now(); next.Before(now.Add(-time.Second)) {
		next = now
	}
	return next.Add(time.Duration(orders) * time.Second / time.Duration(im.rate))
}

// batch is how many items are moved at once: of a slow import few.
func (im *importing) batch() int {
	if im.rate == 0 {
		return listBatch
	}
	return min(max(im.rate/20, 1), listBatch)
}

func (im *importing) readBatch(ctx context.Context) (got streamutil.SourceItems, err error) {
	err = im.persist(ctx, im.source.Redis(), func(ctx context.Context) error {
		got, err = im.source.Read(ctx, 0, im.batch(), listBytes)
		return err
	})
	return got, err
}

// move puts a batch into the queue, and then takes out of the list what is there. An
// error of the queue leaves the items from the first that it stopped at; one that
// comes on the way between the two is made up for by the next run, for the items keep
// their ids. How many were taken out.
func (im *importing) move(ctx context.Context, got streamutil.SourceItems) (int, error) {
	items := im.read(got, 0)
	stopped := im.persist(ctx, im.queue.Redis(), func(ctx context.Context) error { return im.settle(ctx, items) })
	n := slices.IndexFunc(items, func(i *listItem) bool { return !i.done })
	if n < 0 {
		n = len(items)
	}
	if n > 0 {
		got.Items = got.Items[:n]
		var taken []int
		err := im.persist(ctx, im.source.Redis(), func(ctx context.Context) (err error) {
			taken, err = im.source.Remove(ctx, got)
			return err
		})
		if err != nil {
			return 0, im.sourceFault(ctx, err)
		}
		im.result.Read += n
		if len(taken) > 0 {
			return n, im.robbed(items, taken)
		}
	}
	return n, im.stopped(ctx, stopped)
}

// settle deals with those items of a batch that are not dealt with yet.
func (im *importing) settle(ctx context.Context, items []*listItem) error {
	var orders []streamutil.NewOrder
	var sent []*listItem
	for _, i := range items {
		switch {
		case i.done || i.letter != nil:
		case i.id == "":
			i.aside(streamutil.ReasonUndecodable, i.why)
		default:
			orders, sent = append(orders, streamutil.NewOrder{ID: i.id, Body: i.body}), append(sent, i)
		}
	}
	for n, got := range im.queue.EnqueueBatch(ctx, orders) {
		if err := im.settled(sent[n], got); err != nil {
			return errors.Join(err, im.putAside(ctx, upToUndone(items)))
		}
	}
	return im.putAside(ctx, items)
}

// settled notes what the queue said of an order.
func (im *importing) settled(i *listItem, got streamutil.Submission) error {
	switch {
	case errors.Is(got.Err, streamutil.ErrConflict):
		i.aside(streamutil.ReasonDuplicate, "another order with this id is "+string(got.State)+" in the queue")
	case got.Err != nil:
		return got.Err
	case got.Duplicate && got.State == streamutil.Cancelled:
		i.aside(streamutil.ReasonDuplicate, "the order with this id is cancelled in the queue")
	case got.Duplicate:
		im.result.Duplicates++
		i.done = true
	default:
		im.result.Enqueued++
		if i.made {
			im.result.MadeIDs++
		}
		i.done = true
	}
	return nil
}

// upToUndone are the items before the first order that the queue did not take.
func upToUndone(items []*listItem) []*listItem {
	n := slices.IndexFunc(items, func(i *listItem) bool { return !i.done && i.letter == nil })
	return items[:n]
}

// putAside makes the dead letters of a batch.
func (im *importing) putAside(ctx context.Context, items []*listItem) error {
	var copies []streamutil.Copy
	var of []*listItem
	for _, i := range items {
		if i.letter != nil && !i.done {
			copies, of = append(copies, *i.letter), append(of, i)
		}
	}
	if len(copies) == 0 {
		return nil
	}
	put, err := im.queue.Import(ctx, copies, im.by)
	for n, p := range put {
		if p.Err != nil {
			err = errors.Join(err, p.Err)
			continue
		}
		of[n].done = true
		im.result.DeadLetters++
	}
	return err
}

// robbed is what is told of items that another took while they were put in here.
func (im *importing) robbed(items []*listItem, taken []int) error {
	im.result.TakenByOthers += len(taken)
	var ids []string
	for _, t := range taken[:min(len(taken), im.limit)] {
		ids = append(ids, orNone(items[t].id))
	}
	return fmt.Errorf("somebody else takes from the list: stop the old processor first. It took %s that were in the queue by then, and may send them, too; "+
		"to have them sent once, cancel them here: %s. Then run the same command again", several(len(taken), "item"), list(ids, len(taken)))
}
