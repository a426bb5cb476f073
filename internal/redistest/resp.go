package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// commandTimeout bounds one command of a test, blocking ones included.
const commandTimeout = 10 * time.Second

// do sends one command over a new connection, so that it depends on nothing
// the tested code holds.
func do(addr string, args []string) (any, error) {
	conn, err := net.DialTimeout("tcp", addr, commandTimeout)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(commandTimeout)); err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return readReply(bufio.NewReader(conn))
}

// readReply reads one RESP2 reply.
func readReply(r *bufio.Reader) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("read reply: %w", err)
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return nil, errors.New("read reply: empty line")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+':
		return rest, nil
	case '-':
		return nil, errors.New(rest)
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	case '$', '*':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return nil, fmt.Errorf("read reply: length %q: %w", rest, err)
		}
		if n < 0 {
			return nil, nil
		}
		if kind == '$' {
			return readBulk(r, n)
		}
		return readArray(r, n)
	default:
		return nil, fmt.Errorf("read reply: unknown type %q", kind)
	}
}

func readBulk(r *bufio.Reader, n int) (any, error) {
	b := make([]byte, n+2)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("read reply: %w", err)
	}
	return string(b[:n]), nil
}

// readArray reads n replies. An error among them, as EXEC may give, is an element.
func readArray(r *bufio.Reader, n int) (any, error) {
	all := make([]any, n)
	for i := range all {
		v, err := readReply(r)
		var netErr net.Error
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &netErr):
			return nil, err
		case err != nil:
			v = err
		}
		all[i] = v
	}
	return all, nil
}
