package partner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxBody bounds what is read of a request: more than any order may be.
const maxBody = 1 << 20

// Options say how the partner behaves. The zero value answers 200 at once and
// remembers every call.
type Options struct {
	// Latency is how long each call takes before it is answered.
	Latency time.Duration
	// FailRate is the share of calls answered 500, from 0 to 1.
	FailRate float64
	// Seed makes the choice of the calls that fail repeatable. 0 is a seed too.
	Seed uint64
	// Respond, if set, decides every answer instead of FailRate. It is called
	// with the call as it arrived, by one goroutine for each call.
	Respond func(Call) Response
	// Forget keeps no calls in memory, for a partner that runs for days.
	Forget bool
}

// Response is what one call is answered. The zero value is 200 without delay.
type Response struct {
	// Status defaults to 200.
	Status int
	// Header is added to the answer's, such as Retry-After.
	Header http.Header
	// Body defaults to a short JSON document.
	Body string
	// Delay is added to the partner's latency.
	Delay time.Duration
	// Hang answers nothing and waits until the client goes.
	Hang bool
	// Drop cuts the connection instead of answering, after Delay.
	Drop bool
	// Cut answers with the header and half of the body, and then cuts the
	// connection.
	Cut bool
	// Endless answers with the header and a body that goes on until the client
	// is gone.
	Endless bool
}

// Partner is the simulated API. Use it as a handler; it is safe for
// concurrent use.
type Partner struct {
	mu      sync.Mutex
	options Options
	random  *rand.Rand
	seen    int
	calls   map[int]*Call
}

// New makes a partner that behaves as the options say.
func New(o Options) *Partner {
	return &Partner{
		options: o,
		random:  rand.New(rand.NewPCG(o.Seed, 0)),
		calls:   map[int]*Call{},
	}
}

// Change alters the behaviour for the calls that arrive from now on.
func (p *Partner) Change(change func(o *Options)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.options)
}

// Calls gives every call so far in the order of arrival, those that still run
// included.
func (p *Partner) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Call, 0, len(p.calls))
	for _, seq := range slices.Sorted(maps.Keys(p.calls)) {
		all = append(all, *p.calls[seq])
	}
	return all
}

// Seen is how many calls arrived so far.
func (p *Partner) Seen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// ServeHTTP takes one call.
func (p *Partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := newCall(r)
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	sum := sha256.Sum256(body)
	call.Body, call.BodySHA = body, hex.EncodeToString(sum[:])

	kept, answer := p.arrived(call)
	if err == nil && p.wait(r.Context(), answer) {
		if !answer.Drop {
			p.ended(kept, answer.Status, false)
			if write(w, answer); !answer.Cut {
				return
			}
		} else {
			p.ended(kept, 0, false)
		}
	} else {
		p.ended(kept, 0, true)
	}
	panic(http.ErrAbortHandler) // cuts the connection, without a log line
}

// arrived remembers the call and decides its answer.
func (p *Partner) arrived(call Call) (*Call, Response) {
	p.mu.Lock()
	p.seen++
	call.Seq = p.seen
	kept := &call
	if !p.options.Forget {
		p.calls[call.Seq] = kept
	}
	o := p.options
	failed := o.Respond == nil && p.random.Float64() < o.FailRate
	p.mu.Unlock()

	answer := Response{}
	switch {
	case o.Respond != nil:
		answer = o.Respond(*kept)
	case failed:
		answer = Response{Status: http.StatusInternalServerError, Body: `{"error":"simulated failure"}`}
	}
	answer.Delay += o.Latency
	if answer.Status == 0 {
		answer.Status = http.StatusOK
	}
	if answer.Body == "" {
		answer.Body = `{"status":"received"}`
	}
	return kept, answer
}

// wait lets the answer's time pass and reports whether the client still waits.
func (p *Partner) wait(ctx context.Context, answer Response) bool {
	if answer.Hang {
		<-ctx.Done()
		return false
	}
	timer := time.NewTimer(answer.Delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// ended stamps the call before its answer is written: the sender cannot have
// the answer, and begin the next call, before that.
func (p *Partner) ended(c *Call, status int, hungUp bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Ended, c.Status, c.HungUp = Now(), status, hungUp
}

// write answers. The body of a half answer is half of it, and an endless one is
// repeated until the client is gone.
func write(w http.ResponseWriter, answer Response) {
	w.Header().Set("Content-Type", "application/json")
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.Status)
	body := answer.Body
	if answer.Cut {
		body = body[:len(body)/2]
	}
	_, err := io.WriteString(w, body) // the client may be gone
	if answer.Cut || answer.Endless {
		err = errors.Join(err, http.NewResponseController(w).Flush())
	}
	for answer.Endless && err == nil {
		_, err = io.WriteString(w, body)
	}
}
