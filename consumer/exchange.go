package consumer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"
)

const (
	// maxAnswer is how much of an answer's body is read, so that its connection
	// can be used again; of longer ones the connection is closed.
	maxAnswer = 64 << 10
	// maxAnswerHeader bounds what comes before the body.
	maxAnswerHeader = 64 << 10
	// firstWrite is how much of a call is written at first. Every socket takes
	// it at once, so the start of the call is known when it is written.
	firstWrite = 4 << 10
)

var (
	errLate    = errors.New("the partner did not answer in time")
	errClosed  = errors.New("the partner closed the connection")
	errCutOff  = errors.New("the answer broke off")
	errNotHTTP = errors.New("the answer is not HTTP")
	errHeader  = fmt.Errorf("the answer's header is longer than %d KiB", maxAnswerHeader>>10)
)

// answer is what the partner said to a call. It is there once its header is
// whole: the status decides then, and a body that is cut, late or endless
// changes nothing.
type answer struct {
	status int
	header http.Header
	body   []byte // its first maxAnswer bytes, as far as they came
}

// exchange makes one call: one request, one answer, by HTTP/1.1. sent tells
// whether anything went out. Afterwards the connection is spent, or nothing is
// left on it and another call may use it.
//
// This is not net/http's Transport. That may repeat a call by itself, and may
// take what a partner said unasked on a kept connection for the answer to the
// next call, which would then count as delivered.
func (c *connection) exchange(ctx context.Context, req *http.Request) (a answer, sent bool, err error) {
	var call bytes.Buffer
	if err := req.Write(&call); err != nil {
		return a, false, fmt.Errorf("build call: %w", err)
	}
	g := gateOf(ctx)
	if g != nil {
		if err := g.check(); err != nil {
			return a, false, err
		}
	}
	trace := traceOf(ctx)
	trace.GotConn(httptrace.GotConnInfo{Conn: c})
	c.spent = true // until the whole exchange has gone well
	uncut := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	n, err := c.Write(call.Next(firstWrite))
	if n == 0 {
		uncut()
		return a, false, explain(ctx, err)
	}
	if g != nil {
		g.pass()
	}
	trace.WroteHeaders()
	written := c.writeRest(call.Bytes(), err)
	a, clean, err := c.answer(req)
	select {
	case all := <-written:
		clean = clean && all
	default: // answered before it was asked in full
		clean = false
		c.raw.Close()
		<-written
	}
	c.spent = !uncut() || !clean
	return a, true, explain(ctx, err)
}

// traceOf gives whoever traces the call; of all hooks we call these two.
func traceOf(ctx context.Context) httptrace.ClientTrace {
	trace := httptrace.ClientTrace{}
	if given := httptrace.ContextClientTrace(ctx); given != nil {
		trace = *given
	}
	if trace.GotConn == nil {
		trace.GotConn = func(httptrace.GotConnInfo) {}
	}
	if trace.WroteHeaders == nil {
		trace.WroteHeaders = func() {}
	}
	return trace
}

// writeRest goes on writing while the answer is read already, for a partner may
// answer before it has read all. At its end it tells whether all was written;
// err is what came of the first write.
func (c *connection) writeRest(rest []byte, err error) <-chan bool {
	all := make(chan bool, 1)
	if err != nil || len(rest) == 0 {
		all <- err == nil
		return all
	}
	go func() {
		_, err := c.Write(rest)
		all <- err == nil
	}()
	return all
}

// answer reads the answer to a call. clean tells whether it was read to its end,
// nothing came after it, and the partner keeps the connection.
func (c *connection) answer(req *http.Request) (a answer, clean bool, err error) {
	c.left.N = maxAnswerHeader
	if _, err := c.in.Peek(1); err != nil {
		return a, false, err // no answer at all, rather than half of one
	}
	resp, err := http.ReadResponse(c.in, req) //nolint:bodyclose // to close it would be to read on; the connection is closed instead
	for err == nil && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		resp, err = http.ReadResponse(c.in, req) //nolint:bodyclose // that was a hint, without a body: the answer follows
	}
	if err != nil {
		if c.left.N <= 0 {
			err = errHeader
		}
		return a, false, err
	}
	c.left.N = 2 * maxAnswer // the framing of chunks counts, too
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	clean = err == nil && len(body) <= maxAnswer && c.in.Buffered() == 0 &&
		!resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
	return answer{resp.StatusCode, resp.Header, body[:min(len(body), maxAnswer)]}, clean, nil
}

// explain words for people why there is no answer. It never repeats what came
// over the line: an echo would show the call, secrets and all.
func explain(ctx context.Context, err error) error {
	_, network := errors.AsType[net.Error](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return endOf(ctx)
	case errors.Is(err, io.EOF):
		return errClosed
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCutOff
	case network, errors.Is(err, errHeader):
		return err
	}
	return errNotHTTP
}

// endOf words why a context has ended.
func endOf(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		return errLate
	}
	return cause
}
