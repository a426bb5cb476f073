package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

	"golang.org/x/sync/errgroup"

	"orderq/streamutil"
)

// backlog puts so many orders into the queue without a producer, and gives them
// as a shop would know them.
func (s *system) backlog(n int) map[string]Submission {
	s.t.Helper()
	const clients = 8
	parts := make([]map[string]Submission, clients)
	var g errgroup.Group
	for c := range clients {
		parts[c] = map[string]Submission{}
		g.Go(func() error {
			for i := c; i < n; i += clients {
				id := fmt.Sprintf("B-%06d", i)
				text := body(id)
				r, err := s.queue.Enqueue(s.t.Context(), streamutil.NewOrder{ID: id, Body: []byte(text)})
				if err != nil {
					return fmt.Errorf("enqueue %s: %w", id, err)
				}
				sum := sha256.Sum256([]byte(text))
				parts[c][id] = Submission{Entry: r.Entry, BodySHA: hex.EncodeToString(sum[:])}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		s.t.Fatal(err)
	}
	all := map[string]Submission{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// delivered says of all orders that they are.
func delivered(accepted map[string]Submission) map[string]streamutil.State {
	states := map[string]streamutil.State{}
	for id := range accepted {
		states[id] = streamutil.Delivered
	}
	return states
}
