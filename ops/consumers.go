package ops

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func newConsumersCommand(open Open) *cobra.Command {
	return &cobra.Command{
		Use:   "consumers",
		Short: "List the consumers: who lives, what each has in flight, what ails it",
		Long: "A consumer is alive while its beat is younger than its lease, as Redis's clock has\n" +
			"it. What a dead one had in flight is taken back by any living one that has watched\n" +
			"its beat stand still for the lease. A name that is not registered is shown, too, as\n" +
			"long as it holds orders.",
		Example: "  orderq consumers\n  orderq consumers -o jsonl | jq 'select(.alive | not)'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return look(cmd, open, func(ctx context.Context, c *change) error {
				list, err := c.consumers(ctx)
				if err != nil {
					return err
				}
				return rows(c.view, list, []string{
					"NAME", "HOST", "PID", "VERSION", "PACE", "STARTED", "BEAT", "ALIVE", "IN FLIGHT", "TROUBLE",
				}, func(r consumerRow) []string { return r.cells(c.view) })
			})
		},
	}
}

// consumerRow is what consumers -o json shows; scripts rely on its keys.
type consumerRow struct {
	Name         string     `json:"name"`
	Host         *string    `json:"host"`
	PID          *int       `json:"pid"`
	Version      *string    `json:"version"`
	Pace         *string    `json:"pace"`
	LeaseSeconds *float64   `json:"lease_seconds"`
	StartedAt    *time.Time `json:"started_at"`
	BeatSeconds  *float64   `json:"beat_seconds"`
	Alive        bool       `json:"alive"`
	InFlight     int64      `json:"in_flight"`
	// Trouble is what the consumer itself said; Note what becomes of a dead one.
	Trouble *string `json:"trouble"`
	Note    *string `json:"note"`
}

func (c *change) consumers(ctx context.Context) ([]consumerRow, error) {
	s, err := c.inspect(ctx)
	if err != nil {
		return nil, err
	}
	holders, err := call(ctx, c.queue, func(ctx context.Context, q *streamutil.Queue) (map[string]int64, error) { return q.Holders(ctx) })
	if err != nil {
		return nil, err
	}
	list := make([]consumerRow, 0, len(s.Consumers))
	for _, info := range s.Consumers {
		delete(holders, info.Name)
		row := consumerRow{
			Name: info.Name, Host: known(info.Host), PID: known(info.PID), Version: known(info.Version), Alive: info.Alive,
			InFlight: info.InFlight, Trouble: known(info.Trouble), LeaseSeconds: known(seconds(info.Lease)),
		}
		if info.Lease > 0 { // else it is not what a consumer wrote
			row.Pace, row.StartedAt = new(streamutil.Every(info.Pace).String()), knownTime(info.Started)
			row.BeatSeconds = new(seconds(info.Seen))
		}
		if !info.Alive {
			row.Note = new(takeover(info.InFlight, info.Lease, s.Alive() > 0))
		}
		list = append(list, row)
	}
	for name, n := range holders {
		note := "not registered; " + takeover(n, 0, s.Alive() > 0)
		list = append(list, consumerRow{Name: name, InFlight: n, Note: &note})
	}
	slices.SortFunc(list, func(a, b consumerRow) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// takeover says when others take over from a dead consumer.
func takeover(inFlight int64, lease time.Duration, othersLive bool) string {
	what := "forgotten"
	if inFlight > 0 {
		what = "its " + several(int(inFlight), "order") + " taken back"
	}
	switch {
	case othersLive:
		return what + " at any moment"
	case lease > 0:
		return what + " " + span(lease) + " after a consumer starts"
	}
	return what + " a lease after a consumer starts"
}

func (r consumerRow) cells(v view) []string {
	pid, beat, alive := "-", "-", "no"
	if r.PID != nil {
		pid = fmt.Sprint(*r.PID)
	}
	if r.BeatSeconds != nil {
		beat = span(time.Duration(*r.BeatSeconds*float64(time.Second))) + " ago"
	}
	if r.Alive {
		alive = "yes"
	}
	trouble := text(r.Trouble)
	if r.Note != nil {
		trouble = strings.TrimPrefix(trouble+"; "+*r.Note, "; ")
	}
	return []string{
		r.Name, orNone(text(r.Host)), pid, orNone(text(r.Version)), orNone(text(r.Pace)), v.local(r.StartedAt), beat, alive,
		fmt.Sprint(r.InFlight), orNone(trouble),
	}
}
