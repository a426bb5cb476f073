package producer

import (
	"bytes"
	"net/http"
	"strconv"
	"unicode/utf8"

	"orderq/metrics"
)

// splitters cut a batch into its orders, by its media type. They keep each
// order's exact bytes and do not check it.
var splitters = map[string]func([]byte) ([][]byte, *problem){
	typeJSON:  splitArray,
	typeLines: splitLines,
}

// splitArray takes a JSON array. It must be sound as a whole: with a broken one
// nobody can tell where an order ends.
func splitArray(body []byte) ([][]byte, *problem) {
	if !utf8.Valid(body) {
		return nil, problemMalformed(&syntaxError{firstInvalid(body), "not UTF-8"})
	}
	// The array is no level of its orders' nesting.
	s := scanner{in: body, depth: -1}
	s.space()
	switch {
	case s.at == len(body):
		return nil, problemMalformed(&syntaxError{s.at, "the body is empty"})
	case body[s.at] != '[':
		return nil, problemMalformed(&syntaxError{s.at, "a batch is a JSON array"})
	}
	var orders [][]byte
	keep := func(value []byte) {
		if len(orders) <= maxBatchOrders { // one more than may be is enough to tell
			orders = append(orders, value)
		}
	}
	if err := s.array(keep); err != nil {
		return nil, problemMalformed(err)
	}
	if s.space(); s.at < len(body) {
		return nil, problemMalformed(s.fault("more data after the array"))
	}
	if len(orders) > maxBatchOrders {
		return nil, problemTooMany()
	}
	return orders, nil
}

// splitLines takes an order a line (NDJSON); lines of nothing but JSON's own
// space are none.
func splitLines(body []byte) ([][]byte, *problem) {
	var orders [][]byte
	for line := range bytes.Lines(body) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(bytes.Trim(line, " \t\r")) == 0 {
			continue
		}
		if len(orders) == maxBatchOrders {
			return nil, problemTooMany()
		}
		orders = append(orders, line)
	}
	return orders, nil
}

func problemTooMany() *problem {
	return newProblem(http.StatusRequestEntityTooLarge, "too-many", "Too many orders",
		"a batch has at most "+strconv.Itoa(maxBatchOrders)+" orders").counted(metrics.RejectedTooLarge)
}
