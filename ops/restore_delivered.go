package ops

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"orderq/streamutil"
)

// deliveredMost bounds the ids that are held in memory: about 250 MB of them.
const deliveredMost = 5_000_000

// idSet is a set of order ids, of which only hashes are held.
type idSet map[idHash]struct{}

type idHash [16]byte

func (s idSet) add(id string)      { s[hashOf(id)] = struct{}{} }
func (s idSet) has(id string) bool { _, ok := s[hashOf(id)]; return ok }

func hashOf(id string) idHash {
	sum := sha256.Sum256([]byte(id))
	return idHash(sum[:len(idHash{})])
}

// readDelivered reads the ids of delivered orders: one a line, or lines of JSON with an
// order_id, as orderq tail -o jsonl and the consumers' logs have them. The file may be a
// pipe, and - is standard input.
func readDelivered(name string, in io.Reader) (idSet, error) {
	set := idSet{}
	if name == "" {
		return set, nil
	}
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the delivered orders: %w", err)
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		id, ok := deliveredOn(bytes.TrimSpace(lines.Bytes()))
		switch {
		case !ok:
			return nil, fmt.Errorf("read the delivered orders: line %d of %s is no order id, and no JSON with an order_id; nothing was changed", n, name)
		case id == "":
			continue
		}
		if set.add(id); len(set) > deliveredMost {
			return nil, fmt.Errorf("%s has more than %d orders: leave out those that were delivered before the backup was made", name, deliveredMost)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the delivered orders: %w", err)
	}
	return set, nil
}

// deliveredOn reads a line; one that tells of no delivered order gives no id.
func deliveredOn(line []byte) (id string, ok bool) {
	if len(line) == 0 || line[0] == '#' {
		return "", true
	}
	if line[0] != '{' {
		return string(line), streamutil.ValidOrderID(string(line))
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil {
		return "", false
	}
	if word(fields["state"]) != "delivered" && word(fields["outcome"]) != "delivered" && tellsMore(fields) {
		return "", true
	}
	id = word(fields["order_id"])
	return id, id == "" || streamutil.ValidOrderID(id)
}

// tellsMore reports whether a line is of a log, which tells of other things than
// deliveries, too.
func tellsMore(fields map[string]json.RawMessage) bool {
	for _, name := range []string{"state", "outcome", "what", "msg", "level"} {
		if _, there := fields[name]; there {
			return true
		}
	}
	return false
}

// word is a JSON string; "" of all else.
func word(raw json.RawMessage) (s string) {
	_ = json.Unmarshal(raw, &s) // what is no text leaves it empty
	return s
}
