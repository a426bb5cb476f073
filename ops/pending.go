package ops

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newPendingCommand(open Open) *cobra.Command {
	var consumer string
	cmd := &cobra.Command{
		Use:   "pending",
		Short: "List what was taken and is not finished: in flight or parked",
		Long: "Oldest first: the order, who has it and whether that consumer lives, how long\n" +
			"since it was taken or parked, its attempts, and what it waits for.",
		Example: "  orderq pending\n  orderq pending --consumer parked\n  orderq pending -o jsonl | jq .order_id",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := viewOf(cmd)
			list, err := ask(cmd.Context(), open, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Listed, error) {
				return q.Pending(ctx, consumer, v.limit+1)
			})
			if err != nil {
				return err
			}
			if len(list) > v.limit {
				list = list[:v.limit]
				fmt.Fprintf(cmd.ErrOrStderr(), "the first %d; --limit shows more\n", v.limit)
			}
			held, err := ask(cmd.Context(), open, inspect)
			if err != nil {
				return err
			}
			return rows(v, pendingRows(v, list, held), []string{"ENTRY", "ORDER", "STATE", "CONSUMER", "SINCE", "ATTEMPTS", "LAST", "WAITS FOR"}, pendingRow.cells)
		},
	}
	cmd.Flags().StringVar(&consumer, "consumer", "", `only what this consumer holds ("parked" for what is parked)`)
	completeFlag(cmd, "consumer", completeHolders(open))
	return cmd
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

func pendingRows(v view, list []streamutil.Listed, queue streamutil.Snapshot) []pendingRow {
	out := make([]pendingRow, 0, len(list))
	for _, p := range list {
		row := pendingRow{
			EntryID: p.Entry, OrderID: p.OrderID, State: p.State, IdleSeconds: seconds(p.Idle),
			Attempts: p.Attempts, LastStatus: p.LastStatus, WaitsFor: v.waitsFor(p, queue),
		}
		if p.LastOutcome != "" {
			outcome := string(p.LastOutcome)
			row.LastOutcome = &outcome
		}
		if p.State == streamutil.Parked {
			row.DueSeconds = new(seconds(p.Due))
		} else {
			row.Consumer, row.ConsumerAlive = &p.Consumer, &p.ConsumerAlive
		}
		out = append(out, row)
	}
	return out
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
