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

// completion completes an argument or a flag.
type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// wordList gives a page of words to complete from, behind the last one of the page
// before. A page that is not full is the last.
type wordList func(ctx context.Context, q *streamutil.Queue, after streamutil.EntryID) (words []string, last streamutil.EntryID, err error)

// completeWith gives the words of these lists that begin as the typed one does, but
// those that are on the command line already. A queue that cannot be asked completes
// nothing.
func completeWith(open Open, lists ...wordList) completion {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		const nothingElse = cobra.ShellCompDirectiveNoFileComp
		desk, err := open()
		if err != nil {
			return nil, nothingElse
		}
		defer desk.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		found := slices.Clone(args) // so that no word is given twice
		for _, list := range lists {
			found = list.complete(ctx, desk.Queue, typed, found)
		}
		return found[len(args):], nothingElse
	}
}

// complete adds to what was found the words that begin as the typed one does.
func (list wordList) complete(ctx context.Context, q *streamutil.Queue, typed string, found []string) []string {
	var after streamutil.EntryID
	enough := len(found) + completeMost
	for range completePages {
		words, last, err := list(ctx, q, after)
		for _, word := range words {
			if word = printable(word); word != "" && strings.HasPrefix(word, typed) && !slices.Contains(found, word) {
				found = append(found, word)
			}
		}
		if err != nil || len(words) < page || len(found) >= enough {
			break
		}
		after = last
	}
	return found
}

// completeOrders completes the ids of unfinished orders.
func completeOrders(open Open) completion { return completeWith(open, unfinished) }

// completeLetters completes the ids of dead letters' orders.
func completeLetters(open Open) completion { return completeWith(open, letterWords(orderOf)) }

// completeKnown completes both: the orders that there is most to know of.
func completeKnown(open Open) completion { return completeWith(open, unfinished, letterWords(orderOf)) }

// completeCauses completes what dead letters died of.
func completeCauses(open Open) completion {
	return completeWith(open, letterWords(streamutil.DeadLetter.Cause))
}

// completeHolders completes who may have orders that are taken and not finished.
func completeHolders(open Open) completion {
	return completeWith(open, func(ctx context.Context, q *streamutil.Queue, _ streamutil.EntryID) ([]string, streamutil.EntryID, error) {
		s, err := q.Inspect(ctx)
		words := []string{string(streamutil.Parked)}
		for _, c := range s.Consumers {
			words = append(words, c.Name)
		}
		return words, streamutil.EntryID{}, err
	})
}

func unfinished(ctx context.Context, q *streamutil.Queue, after streamutil.EntryID) ([]string, streamutil.EntryID, error) {
	list, err := q.Entries(ctx, after, page)
	words := make([]string, len(list))
	for i, e := range list {
		words[i], after = e.OrderID, e.Entry
	}
	return words, after, err
}

// letterWords lists one thing about every dead letter.
func letterWords(word func(streamutil.DeadLetter) string) wordList {
	return func(ctx context.Context, q *streamutil.Queue, after streamutil.EntryID) ([]string, streamutil.EntryID, error) {
		list, err := q.DeadLetters(ctx, after, page)
		words := make([]string, len(list))
		for i, l := range list {
			words[i], after = word(l), l.ID
		}
		return words, after, err
	}
}

func orderOf(l streamutil.DeadLetter) string { return l.OrderID }

// completeFlag lets a shell complete a flag.
func completeFlag(cmd *cobra.Command, flag string, with completion) {
	// It fails only for a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc(flag, with)
}

// completeFrom lets a shell complete a flag from a few words.
func completeFrom(cmd *cobra.Command, flag string, words ...string) {
	completeFlag(cmd, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
