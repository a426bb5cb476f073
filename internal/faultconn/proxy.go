package faultconn

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy listens for clients of one Redis. Its methods are safe for concurrent
// use, while commands pass.
type Proxy struct {
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	delay    atomic.Int64
	refuse   atomic.Bool
	passed   atomic.Int64

	mu     sync.Mutex
	closed bool
	links  map[*link]struct{}
	faults []*fault
}

// fault is armed until a command matches it.
type fault struct {
	match func(args []string) bool
	// before cuts instead of letting the command through.
	before bool
	struck chan struct{}
}

// Listen starts a proxy to a Redis at target, HOST:PORT, on a free port of the
// loopback interface. It ends with the test.
func Listen(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &Proxy{listener: l, target: target, links: map[*link]struct{}{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect: HOST:PORT.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// EatReply lets the next command that matches reach Redis, waits for its
// reply, and cuts the connection instead of passing the reply on. Commands
// behind it in a pipeline may reach Redis or not. The channel is closed when
// that has happened.
func (p *Proxy) EatReply(match func(args []string) bool) <-chan struct{} {
	return p.arm(&fault{match: match, struck: make(chan struct{})})
}

// CutBefore cuts the connection instead of passing the next command that
// matches on to Redis. The channel is closed when that has happened.
func (p *Proxy) CutBefore(match func(args []string) bool) <-chan struct{} {
	return p.arm(&fault{match: match, before: true, struck: make(chan struct{})})
}

// Cut closes every present connection. New ones are taken.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Refuse closes new connections at once, while on. Present ones go on.
func (p *Proxy) Refuse(on bool) { p.refuse.Store(on) }

// Delay makes every command from now on reach Redis so much later. Commands
// of a pipeline are delayed side by side, as by a long line.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Passed is how many commands went on to Redis so far.
func (p *Proxy) Passed() int64 { return p.passed.Load() }

// Command matches commands by name, whatever their case: Command("EVAL",
// "EVALSHA").
func Command(names ...string) func(args []string) bool {
	return func(args []string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, args[0]) })
	}
}

// WithArg matches commands with an argument that is one of these, such as the
// SHA of a script or its text.
func WithArg(values ...string) func(args []string) bool {
	return func(args []string) bool {
		return slices.ContainsFunc(args, func(a string) bool { return slices.Contains(values, a) })
	}
}

func (p *Proxy) arm(f *fault) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, f)
	return f.struck
}

// strike disarms and gives the fault that a command sets off, nil if none.
func (p *Proxy) strike(args []string) *fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.faults, func(f *fault) bool { return f.match(args) })
	if i < 0 {
		return nil
	}
	f := p.faults[i]
	p.faults = slices.Delete(p.faults, i, i+1)
	return f
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		redis, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := newLink(p, client, redis)
		if p.refuse.Load() || !p.add(l) {
			l.cut()
			continue
		}
		p.wg.Go(func() {
			l.run()
			p.mu.Lock()
			delete(p.links, l)
			p.mu.Unlock()
		})
	}
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.links[l] = struct{}{}
	}
	return !p.closed
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		l.cut()
	}
	p.mu.Unlock()
	p.wg.Wait()
}
