package ops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"orderq/streamutil"
)

// mostCauses bounds how many causes are told apart: a hand may have written any
// reason. What comes then is counted as other.
const mostCauses = 1000

const otherCauses = "(other)"

// causeRow is what dead list --group-by error -o json shows; scripts rely on its keys.
type causeRow struct {
	Cause    string    `json:"cause"`
	Count    int       `json:"count"`
	OldestAt time.Time `json:"oldest_at"`
	NewestAt time.Time `json:"newest_at"`
	// Example is an order that died of it, the newest; or the letter, where there
	// is no order's id.
	Example string `json:"example"`
	// Requeue is the command that sends all of them again; null for what is no
	// order that could be sent.
	Requeue *string `json:"requeue"`
}

// deadGroups counts the dead letters by what they died of.
func (c *change) deadGroups(ctx context.Context, l deadListing) error {
	groups := map[string]*causeRow{}
	p, n := newProgress(c.view), 0
	defer p.end()
	for d, err := range c.letters(ctx, last) {
		if err != nil {
			return err
		}
		if l.match(d) {
			c.count(groups, d)
		}
		n++
		p.show("looked at %s", several(n, "dead letter"))
	}
	p.end()
	list := make([]causeRow, 0, len(groups))
	for _, g := range groups {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b causeRow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Cause, b.Cause))
	})
	return rows(c.view, list, []string{"CAUSE", "COUNT", "OLDEST", "NEWEST", "EXAMPLE", "SEND THEM AGAIN"},
		func(r causeRow) []string { return r.cells(c.view) })
}

// count adds a letter, the oldest first, to what died of the same.
func (c *change) count(groups map[string]*causeRow, d streamutil.DeadLetter) {
	cause := d.Cause()
	g := groups[cause]
	if g == nil && len(groups) >= mostCauses {
		cause = otherCauses
		g = groups[cause]
	}
	if g == nil {
		g = &causeRow{Cause: cause, OldestAt: d.Time().UTC()}
		if cause != "" && cause != otherCauses && d.Reason != streamutil.ReasonUndecodable && d.Reason != streamutil.ReasonDuplicate {
			g.Requeue = new(c.again + " dead requeue --error " + quoted(cause))
		}
		groups[cause] = g
	}
	g.Count++
	g.NewestAt, g.Example = d.Time().UTC(), cmp.Or(d.OrderID, d.ID.String())
}

func (r causeRow) cells(v view) []string {
	return []string{
		orNone(r.Cause), fmt.Sprint(r.Count), v.moment(r.OldestAt.Local()), v.moment(r.NewestAt.Local()), r.Example, orNone(text(r.Requeue)),
	}
}
