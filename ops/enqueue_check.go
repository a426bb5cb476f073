package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// check reads all orders and sends none. It finds what can be told without the
// producer: what is no JSON object, and what has no id.
func (l *loader) check(ctx context.Context, c *chunks) error {
	for {
		chunk, end := c.next(ctx)
		for _, order := range chunk {
			l.sum.Read++
			if fault := l.fault(order); fault != "" {
				l.reject(order, verdict{Problem: &problem{Detail: fault}})
			}
		}
		l.show()
		switch {
		case errors.Is(end, io.EOF):
			return nil
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case end != nil:
			return fmt.Errorf("%s:%w", l.name, end)
		}
	}
}

func (l *loader) fault(order submission) string {
	switch {
	case order.body == nil:
		return "larger than 1 MiB"
	case !json.Valid(order.body):
		return "not JSON"
	case l.idOf(order.body) == "":
		return fmt.Sprintf("want an object with the key %q: 1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit", l.idField)
	}
	return ""
}

// idOf is the id in an order; empty if it has none that could be one.
func (l *loader) idOf(body []byte) string {
	var members map[string]json.RawMessage
	var id string
	if json.Unmarshal(body, &members) != nil || json.Unmarshal(members[l.idField], &id) != nil || !orderID.MatchString(id) {
		return ""
	}
	return id
}
