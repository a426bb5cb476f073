package ops

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"orderq/streamutil"
)

// listItem is an item of the list, and what becomes of it.
type listItem struct {
	body []byte
	// id is empty of what is no order; why tells why not.
	id, why string
	made    bool
	// object says that it is a JSON object at least.
	object bool
	// mark names the item among all that were ever in lists.
	mark string

	// done says that it is dealt with: in the queue, or known, or a dead letter.
	done bool
	// letter is what it is to be put aside with.
	letter *streamutil.Copy
}

// read makes items of what was read, the first of which is behind skip others.
func (im *importing) read(got streamutil.SourceItems, skip int64) []*listItem {
	items := make([]*listItem, 0, len(got.Items))
	for i, body := range got.Items {
		items = append(items, im.item([]byte(body), got.Removed+skip+int64(i)))
	}
	return items
}

// item finds out what an item is. Its number is how many items were taken from this
// list before it, by this command in all its runs: the same after a kill and a new
// start. The list's name is in the hash, so that the same bytes at the same place of
// another list are another order.
func (im *importing) item(body []byte, number int64) *listItem {
	sum := sha256.Sum256(append([]byte(im.source.Name()+"\x00"), body...))
	name := hex.EncodeToString(sum[:8]) + "-" + strconv.FormatInt(number, 10)
	i := &listItem{body: body, mark: "list:" + name}
	object, id, why := orderIDIn(body, im.idField)
	i.object = object
	switch {
	case why == "":
		i.id = id
	case object && im.makeIDs:
		i.id, i.made = "old-"+name, true
	default:
		i.why = why
	}
	return i
}

var wholeNumber = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// orderIDIn reads an order's id out of JSON text: a string, or the digits of a whole
// number as they stand there. Why says why there is none; object whether it is an
// order in all else. It never repeats what stands in the text.
func orderIDIn(body []byte, field string) (object bool, id, why string) {
	value, times, err := member(body, field)
	switch {
	case err != nil:
		return false, "", err.Error()
	case times == 0:
		return true, "", "no key " + strconv.Quote(field)
	case times > 1:
		return true, "", fmt.Sprintf("the key %q stands there %d times", field, times)
	}
	switch {
	case value[0] == '"':
		if err := json.Unmarshal(value, &id); err != nil {
			return true, "", fmt.Sprintf("%q cannot be read", field)
		}
	case wholeNumber.Match(value):
		id = string(value)
	default:
		return true, "", fmt.Sprintf("%q is neither a string nor a whole number", field)
	}
	if !streamutil.ValidOrderID(id) {
		return true, "", fmt.Sprintf("%q is no order id: want 1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit", field)
	}
	return true, id, ""
}

// member finds the value of a key in a JSON object, and how often the key is there.
func member(body []byte, key string) (value json.RawMessage, times int, err error) {
	if text := bytes.TrimLeft(body, " \t\r\n"); len(text) == 0 {
		return nil, 0, errors.New("the item is empty")
	} else if text[0] != '{' {
		return nil, 0, errors.New("not a JSON object")
	}
	if !json.Valid(body) {
		return nil, 0, errors.New("not JSON: " + syntaxFault(body))
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil {
		return nil, 0, errors.New("not JSON")
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, 0, errors.New("not JSON")
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, 0, errors.New("not JSON")
		}
		if name == key {
			value, times = v, times+1
		}
	}
	return value, times, nil
}

// syntaxFault says where the text stops being JSON.
func syntaxFault(body []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(body, &v)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("a mistake at byte %d of %d", syntax.Offset, len(body))
	}
	return "it cannot be read"
}

// aside makes the dead letter of an item that cannot be sent.
func (i *listItem) aside(reason, why string) {
	i.letter = &streamutil.Copy{
		OrderID: i.id, State: streamutil.Dead, Body: i.body, Reason: reason, Answer: why, Mark: i.mark,
	}
}
