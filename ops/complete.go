package ops

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// A shell waits for what it completes: it gets what is found at once.
const (
	completeWithin = time.Second
	completeMost   = 50
	completePages  = 10 // of 100, from the oldest on
)

// completion completes arguments by asking the queue.
type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeWith gives the ids that begin as the word does, but those that are on
// the command line already. A queue that cannot be asked completes nothing.
func completeWith(open Open, ids func(context.Context, *streamutil.Queue, streamutil.EntryID) (page []string, last streamutil.EntryID, err error)) completion {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		const nothingElse = cobra.ShellCompDirectiveNoFileComp
		desk, err := open()
		if err != nil {
			return nil, nothingElse
		}
		defer desk.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		var found []string
		var after streamutil.EntryID
		for range completePages {
			list, last, err := ids(ctx, desk.Queue, after)
			for _, id := range list {
				if strings.HasPrefix(id, word) && !slices.Contains(args, id) {
					found = append(found, printable(id))
				}
			}
			if err != nil || len(list) < page || len(found) >= completeMost {
				break
			}
			after = last
		}
		return found, nothingElse
	}
}

// completeOrders completes the ids of unfinished orders.
func completeOrders(open Open) completion {
	return completeWith(open, func(ctx context.Context, q *streamutil.Queue, after streamutil.EntryID) ([]string, streamutil.EntryID, error) {
		list, err := q.Entries(ctx, after, page)
		ids := make([]string, len(list))
		for i, e := range list {
			ids[i], after = e.OrderID, e.Entry
		}
		return ids, after, err
	})
}

// completeLetters completes the ids of dead letters' orders.
func completeLetters(open Open) completion {
	return completeWith(open, func(ctx context.Context, q *streamutil.Queue, after streamutil.EntryID) ([]string, streamutil.EntryID, error) {
		list, err := q.DeadLetters(ctx, after, page)
		ids := make([]string, len(list))
		for i, l := range list {
			ids[i], after = l.OrderID, l.ID
		}
		return ids, after, err
	})
}
