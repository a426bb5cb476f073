package ops

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"os"

	"orderq/streamutil"
)

// deliveredMost bounds the ids that are held in memory: about 250 MB of them.
const deliveredMost = 5_000_000

// idSet is a set of order ids, of which only hashes are held.
type idSet map[[16]byte]struct{}

func (s idSet) add(id string)      { s[idHash(id)] = struct{}{} }
func (s idSet) has(id string) bool { _, ok := s[idHash(id)]; return ok }

func idHash(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:])
}

// deliveredIn reads the ids of delivered orders out of a file: one a line, or lines of
// JSON with an order_id, as orderq tail -o jsonl and the consumers' logs have them. Of
// those that say what became of the order only the delivered count.
func deliveredIn(name string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		f, err := os.Open(name)
		if err != nil {
			yield("", fmt.Errorf("read the delivered orders: %w", err))
			return
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			id, ok := deliveredOn(bytes.TrimSpace(lines.Bytes()))
			if !ok {
				yield("", fmt.Errorf("read the delivered orders: line %d of %s is no order id, and no JSON with an order_id; nothing was changed", n, name))
				return
			}
			if id != "" && !yield(id, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield("", fmt.Errorf("read the delivered orders: %w", err))
		}
	}
}

// deliveredOn reads a line; one that tells of no delivered order gives no id.
func deliveredOn(line []byte) (id string, ok bool) {
	if len(line) == 0 || line[0] == '#' {
		return "", true
	}
	if line[0] != '{' {
		return string(line), streamutil.ValidOrderID(string(line))
	}
	var told struct {
		OrderID string `json:"order_id"`
		State   string `json:"state"`
		Outcome string `json:"outcome"`
	}
	switch err := json.Unmarshal(line, &told); {
	case err != nil:
		return "", false
	case told.OrderID == "", told.State+told.Outcome != "" && told.State != "delivered" && told.Outcome != "delivered":
		return "", true
	}
	return told.OrderID, streamutil.ValidOrderID(told.OrderID)
}

func readDelivered(name string) (idSet, error) {
	set := idSet{}
	if name == "" {
		return set, nil
	}
	for id, err := range deliveredIn(name) {
		if err != nil {
			return nil, err
		}
		if set.add(id); len(set) > deliveredMost {
			return nil, fmt.Errorf("%s has more than %d orders: leave out those that were delivered before the backup was made", name, deliveredMost)
		}
	}
	return set, nil
}
