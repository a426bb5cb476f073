package faultconn

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// readCommand reads one command, an array of bulk strings, as it came and
// taken apart.
func readCommand(r *bufio.Reader) (raw []byte, args []string, err error) {
	var b bytes.Buffer
	kind, n, err := readHead(r, &b)
	if err != nil {
		return nil, nil, err
	}
	if kind != '*' || n < 1 {
		return nil, nil, fmt.Errorf("read command: begins with %q", b.String())
	}
	for range n {
		kind, size, err := readHead(r, &b)
		if err != nil {
			return nil, nil, err
		}
		if kind != '$' || size < 0 {
			return nil, nil, fmt.Errorf("read command: argument of type %q", kind)
		}
		start := b.Len()
		if _, err := io.CopyN(&b, r, int64(size)+2); err != nil {
			return nil, nil, fmt.Errorf("read command: %w", err)
		}
		args = append(args, string(b.Bytes()[start:start+size]))
	}
	return b.Bytes(), args, nil
}

// readReply reads one reply of any type as it came; push says that it is an
// out-of-band message.
func readReply(r *bufio.Reader) (raw []byte, push bool, err error) {
	var b bytes.Buffer
	if err := copyValue(r, &b); err != nil {
		return nil, false, err
	}
	return b.Bytes(), b.Bytes()[0] == '>', nil
}

// copyValue copies one value with all that it contains.
func copyValue(r *bufio.Reader, b *bytes.Buffer) error {
	kind, n, err := readHead(r, b)
	if err != nil {
		return err
	}
	values := 0
	switch kind {
	case '$', '!', '=':
		if n >= 0 {
			_, err = io.CopyN(b, r, int64(n)+2)
		}
	case '*', '~', '>':
		values = n
	case '%':
		values = 2 * n
	case '|': // attributes, and then the value they belong to
		values = 2*n + 1
	}
	for i := 0; i < values && err == nil; i++ {
		err = copyValue(r, b)
	}
	return err
}

// readHead copies the first line of a value and gives its type and, where the
// type has one, its length: -1 is null.
func readHead(r *bufio.Reader, b *bytes.Buffer) (kind byte, n int, err error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return 0, 0, err
	}
	b.Write(line)
	text := string(bytes.TrimSuffix(line, []byte("\r\n")))
	if text == "" {
		return 0, 0, fmt.Errorf("read a value: empty line")
	}
	switch text[0] {
	case '$', '!', '=', '*', '~', '>', '%', '|':
		n, err = strconv.Atoi(text[1:])
		if err != nil {
			return 0, 0, fmt.Errorf("read a value: length %q: %w", text, err)
		}
	}
	return text[0], n, nil
}
