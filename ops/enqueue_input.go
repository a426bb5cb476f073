package ops

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxOrder is the largest order that is sent at all, in bytes: far above what
// a producer takes, and small enough to hold.
const maxOrder = 1 << 20

// submission is an order as it stands in the input.
type submission struct {
	// body is exactly what stands there; nil if that is larger than maxOrder.
	body []byte
	line int // where it begins, counted from 1
}

// byItself reports whether the order must be sent in a request of its own: as a
// line among others it would be several, or lose its end, or be taken for none.
func (s submission) byItself() bool {
	return bytes.IndexByte(s.body, '\n') >= 0 || bytes.HasSuffix(s.body, []byte("\r")) || len(bytes.TrimSpace(s.body)) == 0
}

// input reads orders one after another: the elements of one JSON array, or
// objects, each on a line of its own or over several. It looks no further
// ahead than one order is long.
type input struct {
	r    *bufio.Reader
	seen []byte // what r holds and nobody has taken
	// line and column of the first byte of seen, counted from 1.
	line, column int

	begun  bool
	array  *outline // of the array around the orders, if there is one
	spread bool     // an object had several lines: this is not NDJSON
}

func newInput(r io.Reader) *input {
	return &input{r: bufio.NewReaderSize(r, maxOrder+4096), line: 1, column: 1}
}

// next gives the next order, or io.EOF. After any other error, which tells
// where in the input it is, it cannot go on.
func (in *input) next() (submission, error) {
	if !in.begun {
		if err := in.begin(); err != nil {
			return submission{}, err
		}
	}
	if in.array != nil {
		return in.element()
	}
	return in.record()
}

// begin looks at what kind of input it is.
func (in *input) begin() error {
	in.begun = true
	if _, err := in.at(2); err == nil && bytes.HasPrefix(in.seen, []byte("\xef\xbb\xbf")) {
		in.take(3) // the mark of UTF-8 that some editors write belongs to no order
		in.column = 1
	}
	indent, err := in.blank()
	if err != nil {
		return err
	}
	if in.seen[indent] == '[' {
		in.take(indent + 1)
		in.array = &outline{}
		in.array.step('[')
	}
	return nil
}

// at gives the byte at i, counted from the first that nobody has taken. What
// is further away than the largest order is bufio.ErrBufferFull.
func (in *input) at(i int) (byte, error) {
	if i < len(in.seen) {
		return in.seen[i], nil
	}
	_, err := in.r.Peek(i + 1)
	in.seen, _ = in.r.Peek(in.r.Buffered()) // what is there already cannot fail
	if i < len(in.seen) {
		return in.seen[i], nil
	}
	return 0, err
}

// take goes past n bytes that were seen, and gives a copy of them.
func (in *input) take(n int) []byte {
	b := bytes.Clone(in.seen[:n])
	in.pass(n)
	return b
}

func (in *input) pass(n int) {
	in.line, in.column = in.position(n)
	_, _ = in.r.Discard(n) // of what is there already
	in.seen = in.seen[n:]
}

// cut takes the next n bytes for an order.
func (in *input) cut(n int) submission {
	found := submission{line: in.line}
	if n > maxOrder {
		in.pass(n)
		return found
	}
	found.body = in.take(n)
	return found
}

// rest goes past the space on the rest of a line.
func (in *input) rest() {
	i := 0
	for ; ; i++ {
		if c, err := in.at(i); err != nil || c == '\n' || !space(c) {
			break
		}
	}
	in.pass(i)
}

// position is the line and column of byte n.
func (in *input) position(n int) (line, column int) {
	newlines := bytes.Count(in.seen[:n], []byte("\n"))
	if newlines == 0 {
		return in.line, in.column + n
	}
	return in.line + newlines, n - bytes.LastIndexByte(in.seen[:n], '\n')
}

// fault is an error at byte i, after which nothing can be made of the rest.
func (in *input) fault(i int, format string, args ...any) error {
	line, column := in.position(i)
	return fmt.Errorf("%d:%d: %s", line, column, fmt.Sprintf(format, args...))
}

// unreadable words an error of at(i) other than the input's end.
func (in *input) unreadable(i int, err error) error {
	line, _ := in.position(min(i, len(in.seen)))
	return fmt.Errorf("%d: %w", line, err)
}

// blank goes past blank lines, and gives how far the next line is indented.
func (in *input) blank() (indent int, err error) {
	for i := 0; ; i++ {
		c, err := in.at(i)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			in.pass(i)
			i = -1
		case errors.Is(err, io.EOF):
			return 0, io.EOF
		case err != nil:
			return 0, in.unreadable(i, err)
		case c == '\n':
			in.pass(i + 1)
			i = -1
		case !space(c):
			return i, nil
		}
	}
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
