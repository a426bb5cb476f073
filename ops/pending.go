package ops

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newPendingCommand(open Open) *cobra.Command {
	var consumer, after string
	cmd := &cobra.Command{
		Use:   "pending",
		Short: "List what was taken and is not finished: in flight or parked",
		Long: "Oldest first: the order, who has it and whether that consumer lives, how long\n" +
			"since it was taken or parked, its attempts, and what it waits for. A page holds\n" +
			"--limit orders; how to see the next one is said on stderr.",
		Example: "  orderq pending\n  orderq pending --consumer parked\n  orderq pending -o jsonl --limit 1000000 | jq .order_id",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			behind, err := cursorOf(cmd, after)
			if err != nil {
				return err
			}
			return look(cmd, open, func(ctx context.Context, c *change) error { return c.pending(ctx, consumer, behind) })
		},
	}
	cmd.Flags().StringVar(&consumer, "consumer", "", `only what this consumer holds ("parked" for what is parked)`)
	cmd.Flags().StringVar(&after, "after", "", "go on behind this, as the page before it named it")
	completeFlag(cmd, "consumer", completeHolders(open))
	return cmd
}

func (c *change) pending(ctx context.Context, consumer string, after streamutil.EntryID) error {
	queue, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	if err := c.mayHold(ctx, consumer, queue); err != nil {
		return err
	}
	form := sheet[pendingRow]{
		view: c.view, cells: pendingRow.cells,
		headings: []string{"ENTRY", "ORDER", "STATE", "CONSUMER", "SINCE", "ATTEMPTS", "LAST", "WAITS FOR"},
	}
	next, more, err := pages(c.limit, streamutil.MaxPage, func(o streamutil.Listed) streamutil.EntryID { return o.Cursor }, after,
		func(behind streamutil.EntryID, n int) ([]streamutil.Listed, error) {
			return call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Listed, error) {
				return q.Pending(ctx, consumer, behind, n)
			})
		},
		func(o streamutil.Listed) error { return form.add(newPendingRow(c.view, o, queue)) })
	if err != nil {
		return err
	}
	if err := form.close(); err != nil {
		return err
	}
	if more {
		c.nextPage("pending"+flagText("consumer", consumer), next)
	}
	return nil
}

// mayHold refuses a name that nobody has: an empty list would say that it holds nothing.
func (c *change) mayHold(ctx context.Context, consumer string, queue streamutil.Snapshot) error {
	if consumer == "" || consumer == string(streamutil.Parked) {
		return nil
	}
	holders, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (map[string]int64, error) { return q.Holders(ctx) })
	if err != nil {
		return err
	}
	names := []string{string(streamutil.Parked)}
	for _, known := range queue.Consumers {
		names = append(names, known.Name)
		delete(holders, known.Name)
	}
	names = append(names, slices.Sorted(maps.Keys(holders))...) // not registered any more
	if slices.Contains(names, consumer) {
		return nil
	}
	return &exit{code: exitNotFound, text: fmt.Sprintf("pending: no consumer is called %s; there are: %s", printable(quoted(consumer)), strings.Join(names, ", "))}
}

// pendingRow is what pending -o json shows; scripts rely on its keys.
type pendingRow struct {
	EntryID       streamutil.EntryID `json:"entry_id"`
	OrderID       string             `json:"order_id"`
	State         streamutil.State   `json:"state"`
	Consumer      *string            `json:"consumer"`
	ConsumerAlive *bool              `json:"consumer_alive"`
	IdleSeconds   float64            `json:"idle_seconds"`
	DueSeconds    *float64           `json:"due_seconds"`
	Attempts      int                `json:"attempts"`
	LastOutcome   *string            `json:"last_outcome"`
	LastStatus    int                `json:"last_status"`
	WaitsFor      string             `json:"waits_for"`
}

func newPendingRow(v view, p streamutil.Listed, queue streamutil.Snapshot) pendingRow {
	row := pendingRow{
		EntryID: p.Entry, OrderID: p.OrderID, State: p.State, IdleSeconds: seconds(p.Idle),
		Attempts: p.Attempts, LastStatus: p.LastStatus, WaitsFor: v.waitsFor(p, queue),
	}
	if p.LastOutcome != "" {
		row.LastOutcome = new(string(p.LastOutcome))
	}
	if p.State == streamutil.Parked {
		row.DueSeconds = new(seconds(p.Due))
	} else {
		row.Consumer, row.ConsumerAlive = &p.Consumer, &p.ConsumerAlive
	}
	return row
}

func (p pendingRow) cells() []string {
	consumer, last := "-", "-"
	if p.Consumer != nil {
		consumer = *p.Consumer
		if !*p.ConsumerAlive {
			consumer += " (dead)"
		}
	}
	if p.LastOutcome != nil {
		last = *p.LastOutcome
		if p.LastStatus > 0 {
			last += fmt.Sprintf(" %d", p.LastStatus)
		}
	}
	since := span(time.Duration(p.IdleSeconds * float64(time.Second)))
	return []string{p.EntryID.String(), orNone(p.OrderID), string(p.State), consumer, since, fmt.Sprint(p.Attempts), last, p.WaitsFor}
}
