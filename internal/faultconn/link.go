package faultconn

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// link is one client's connection through the proxy.
type link struct {
	proxy         *Proxy
	client, redis net.Conn
	once          sync.Once
	gone          chan struct{}

	mu sync.Mutex
	// sent counts commands read from the client; eat maps the number of one to
	// the fault that takes its reply.
	sent int
	eat  map[int]*fault
}

// packet is a command on its way, due at Redis at a time.
type packet struct {
	raw []byte
	due time.Time
	// last is set in place of a command: cut, and say so.
	last *fault
}

func newLink(p *Proxy, client, redis net.Conn) *link {
	return &link{proxy: p, client: client, redis: redis, gone: make(chan struct{}), eat: map[int]*fault{}}
}

func (l *link) cut() {
	l.once.Do(func() {
		close(l.gone)
		_ = l.client.Close()
		_ = l.redis.Close()
	})
}

// run passes commands and replies on until one side ends.
func (l *link) run() {
	way := make(chan packet, 1024)
	var wg sync.WaitGroup
	wg.Go(func() { l.commands(way); close(way) })
	wg.Go(func() { l.forward(way); l.cut() })
	wg.Go(func() { l.replies(); l.cut() })
	wg.Wait()
}

// commands reads what the client sends and decides what becomes of it.
func (l *link) commands(way chan<- packet) {
	r := bufio.NewReader(l.client)
	for {
		raw, args, err := readCommand(r)
		if err != nil {
			l.cut()
			return
		}
		next := packet{raw: raw, due: time.Now().Add(time.Duration(l.proxy.delay.Load()))}
		if f := l.proxy.strike(args); f != nil && f.before {
			next.raw, next.last = nil, f
		} else {
			l.expect(f)
		}
		select {
		case way <- next:
		case <-l.gone:
			return
		}
	}
}

// expect counts a command and notes the fault that is to take its reply. The
// reply cannot come before, since the command is sent on later.
func (l *link) expect(f *fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if f != nil {
		l.eat[l.sent] = f
	}
}

// forward sends commands on to Redis when they are due.
func (l *link) forward(way <-chan packet) {
	for next := range way {
		select {
		case <-l.gone:
			return
		case <-time.After(time.Until(next.due)):
		}
		if next.last != nil {
			l.cut()
			close(next.last.struck)
			return
		}
		l.proxy.passed.Add(1) // before the reply can be seen
		if _, err := l.redis.Write(next.raw); err != nil {
			return
		}
	}
}

// replies passes on what Redis answers, up to a reply that is to be eaten.
func (l *link) replies() {
	r := bufio.NewReader(l.redis)
	for n := 1; ; n++ {
		raw, push, err := readReply(r)
		if err != nil {
			return
		}
		if push {
			n-- // not the reply to any command
		} else if f := l.eaten(n); f != nil {
			l.cut()
			close(f.struck)
			return
		}
		if _, err := l.client.Write(raw); err != nil {
			return
		}
	}
}

func (l *link) eaten(n int) *fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.eat[n]
}
