// Package bench loads an HTTP server from many connections at once and measures
// what it does. Its client does as little as it can, for client and server share
// the machine.
package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Load is what to send, and where.
type Load struct {
	// Addr is the server, HOST:PORT.
	Addr string
	// Path and ContentType go into each POST.
	Path, ContentType string
	// Connections is how many are open at once; each has one request under way.
	Connections int
	// Body appends the nth body of this Load, counted from 0, to buf.
	Body func(buf []byte, n int64) []byte
	// Orders is how many a body has.
	Orders int
}

// Result is what came of a Load.
type Result struct {
	Requests, Orders int64
	Elapsed          time.Duration
	// P50 and P99 are times from a request's first byte to its answer's last.
	P50, P99 time.Duration
}

// PerSecond is how many orders were answered for in a second.
func (r Result) PerSecond() float64 { return float64(r.Orders) / r.Elapsed.Seconds() }

// Run loads the server for a time. Any answer but 2xx ends it with an error: what
// is refused quickly is no result.
func (l Load) Run(ctx context.Context, d time.Duration) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var (
		next  atomic.Int64
		mu    sync.Mutex
		took  []time.Duration
		errs  []error
		group sync.WaitGroup
	)
	start := time.Now()
	for range l.Connections {
		group.Go(func() {
			mine, err := l.connection(ctx, &next)
			mu.Lock()
			defer mu.Unlock()
			took, errs = append(took, mine...), append(errs, err)
		})
	}
	group.Wait()
	elapsed := time.Since(start)
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 { // one tells for all
		return Result{}, fmt.Errorf("load %s%s: %w", l.Addr, l.Path, errs[i])
	}
	slices.Sort(took)
	return Result{
		Requests: int64(len(took)), Orders: int64(len(took) * l.Orders), Elapsed: elapsed,
		P50: took[len(took)/2], P99: took[len(took)*99/100],
	}, nil
}

// patience is how long a server may take to begin, or to end what was begun.
const patience = 5 * time.Second

// connection sends one request after another until ctx ends, one at least, and
// gives the time that each took.
func (l Load) connection(ctx context.Context, next *atomic.Int64) (took []time.Duration, err error) {
	conn, err := net.DialTimeout("tcp", l.Addr, patience)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// A server that hangs must not hang the measuring.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now().Add(patience)) })
	defer stop()
	answers := bufio.NewReader(conn)
	var body, request []byte
	for len(took) == 0 || ctx.Err() == nil {
		body = l.Body(body[:0], next.Add(1)-1)
		request = l.request(request[:0], body)
		start := time.Now()
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if err := readAnswer(answers); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}

func (l Load) request(buf, body []byte) []byte {
	buf = append(buf, "POST "+l.Path+" HTTP/1.1\r\nHost: "+l.Addr+"\r\nContent-Type: "+l.ContentType+"\r\nContent-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(body)), 10)
	return append(append(buf, "\r\n\r\n"...), body...)
}

// readAnswer reads an answer to its end, which must be told by a length or be in
// chunks.
func readAnswer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	if len(status) < 12 || status[9] != '2' {
		return fmt.Errorf("the server answered %q", bytes.TrimSpace(status))
	}
	length, chunked := -1, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("read an answer's header: %w", err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(bytes.TrimSpace(value), []byte("chunked"))
		}
	}
	if chunked {
		return discardChunks(r)
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	_, err = r.Discard(length)
	return err
}

func discardChunks(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("read a chunk: %w", err)
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return fmt.Errorf("read a chunk's size: %w", err)
		}
		if _, err := io.CopyN(io.Discard, r, n+2); err != nil || n == 0 {
			return err
		}
	}
}
