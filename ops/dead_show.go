package ops

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newDeadShowCommand(open Open) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show all of a dead letter, with what the partner answered",
		Long: "ID is an order's id, or else a letter's or the entry it had (MS-SEQ). What was sent\n" +
			"is shown with --body.",
		Example:           "  orderq dead show A-1001\n  orderq dead show A-1001 --body -o json | jq -r .body",
		Args:              oneID,
		ValidArgsFunction: completeLetters(open),
		RunE: func(cmd *cobra.Command, args []string) error {
			return look(cmd, open, func(ctx context.Context, c *change) error { return c.deadShow(ctx, args[0]) })
		},
	}
}

// oneID wants exactly one argument.
func oneID(cmd *cobra.Command, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usagef("%s: want one id; see %s --help", cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// letterDoc is what dead show -o json shows; scripts rely on its keys.
type letterDoc struct {
	letterRow
	Answer *string `json:"answer"`
	// Raw is, of an entry that was no order, all that was in it.
	Raw  *string `json:"raw"`
	Next string  `json:"next"`
}

func (c *change) deadShow(ctx context.Context, id string) error {
	d, err := c.oneLetter(ctx, id)
	if err != nil {
		return err
	}
	doc := letterDoc{letterRow: newLetterRow(c.view, d), Answer: known(d.Answer), Next: c.letterNext(d)}
	if c.body {
		doc.Raw = known(d.Raw)
	}
	return c.show(doc, c.letterLines(doc))
}

// oneLetter finds the letter that a name means, or else the newest of an order
// whose record was lost.
func (c *change) oneLetter(ctx context.Context, id string) (streamutil.DeadLetter, error) {
	b, err := c.find(ctx, []string{id})
	if err != nil {
		return streamutil.DeadLetter{}, err
	}
	why := ""
	for l, err := range b.letters {
		if err != nil || l.found {
			return l.DeadLetter, err
		}
		_, why = l.absent()
	}
	p := newProgress(c.view)
	defer p.end()
	found, err := c.matchingBack(ctx, func(d streamutil.DeadLetter) bool { return d.OrderID == id }, streamutil.EntryID{}, 1, p)
	if err != nil {
		return streamutil.DeadLetter{}, err
	}
	if len(found) == 0 {
		text := fmt.Sprintf("%s %s; %s show %s tells where an order is", printable(id), why, c.again, printable(quoted(id)))
		return streamutil.DeadLetter{}, &exit{code: exitNotFound, text: text}
	}
	return found[0], nil
}

func (c *change) letterLines(d letterDoc) [][]string {
	entry := "-"
	if d.EntryID != nil {
		entry = d.EntryID.String()
	}
	lines := [][]string{
		{"order", orNone(text(d.OrderID))},
		{"letter", d.ID.String()},
		{"entry", entry},
		{"died", c.moment(d.DiedAt.Local())},
		{"of", orNone(d.Cause)},
		{"attempts", fmt.Sprint(d.Attempts)},
		{"answer", orNone(text(d.Answer))},
		{"next", d.Next},
	}
	if d.Body != nil {
		lines = append(lines, []string{"body", orNone(*d.Body)})
	}
	if d.Raw != nil {
		lines = append(lines, []string{"raw", *d.Raw})
	}
	return lines
}
