package streamutil

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/redis/rueidis"
)

// LogPage is how many lines one page of the log holds at most.
const LogPage = 250

// Log reads up to limit lines of the queue's log behind the given one, oldest
// first (XRANGE); from the first that is kept if that is zero. A page holds no
// more than [LogPage] lines.
//
// Errors: [ErrUnavailable].
func (q *Queue) Log(ctx context.Context, after EntryID, limit int) ([]LogEntry, error) {
	return q.readLog(ctx, func(rdb rueidis.Client) rueidis.Completed {
		return rdb.B().Xrange().Key(q.keys.log).Start("(" + after.String()).End("+").Count(logCount(limit)).Build()
	})
}

// LogBack reads up to limit lines before the given one, newest first
// (XREVRANGE); from the newest if that is zero. A page holds no more than
// [LogPage] lines.
//
// Errors: [ErrUnavailable].
func (q *Queue) LogBack(ctx context.Context, before EntryID, limit int) ([]LogEntry, error) {
	return q.readLog(ctx, func(rdb rueidis.Client) rueidis.Completed {
		return rdb.B().Xrevrange().Key(q.keys.log).End(upTo(before)).Start("-").Count(logCount(limit)).Build()
	})
}

// upTo is where a page that runs backwards begins.
func upTo(before EntryID) string {
	if before.IsZero() {
		return "+"
	}
	return "(" + before.String()
}

func logCount(limit int) int64 {
	if limit <= 0 || limit > LogPage {
		return LogPage
	}
	return int64(limit)
}

func (q *Queue) readLog(ctx context.Context, page func(rueidis.Client) rueidis.Completed) ([]LogEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("read log", err)
	}
	entries, err := rdb.Do(ctx, page(rdb)).AsXRange()
	return logEntries(entries), wrap("read log", err)
}

func logEntries(entries []rueidis.XRangeEntry) []LogEntry {
	lines := make([]LogEntry, 0, len(entries))
	for _, e := range entries {
		lines = append(lines, logEntry(e))
	}
	return lines
}

// Tail waits until the log has lines behind the given one, and returns up to
// [LogPage] of them; none once wait has passed (XREAD BLOCK). It reads only, so
// a wait that is cancelled loses nothing.
//
// Errors: [ErrUnavailable]; the context's when that ends.
func (q *Queue) Tail(ctx context.Context, after EntryID, wait time.Duration) ([]LogEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("tail log", err)
	}
	cmd := rdb.B().Xread().Count(LogPage).Block(max(wait.Milliseconds(), 1)).Streams().Key(q.keys.log).Id(after.String()).Build()
	found, err := rdb.Do(ctx, cmd).AsXRead()
	switch {
	case err == nil:
		return logEntries(found[q.keys.log]), nil
	case isNil(err):
		return nil, nil
	case errors.Is(err, context.Canceled):
		return nil, context.Cause(ctx)
	}
	return nil, wrap("tail log", err)
}

// history goes through the log from the newest line back, a page at a time.
func (q *Queue) history(ctx context.Context, before EntryID) iter.Seq2[LogEntry, error] {
	return func(yield func(LogEntry, error) bool) {
		for {
			page, err := q.LogBack(ctx, before, LogPage)
			if err != nil {
				yield(LogEntry{}, err)
				return
			}
			for _, l := range page {
				if !yield(l, nil) {
					return
				}
				before = l.ID
			}
			if len(page) < LogPage {
				return
			}
		}
	}
}
