package main

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"orderq/internal/redistest"
)

// from is a connection that says where it comes from.
type from struct {
	net.Conn
	address net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.address }

// knock connects from an address and gives the client's end.
func (p *pipes) knock(at net.Addr) net.Conn {
	here, there := net.Pipe()
	p.conns <- from{there, at}
	return here
}

func tcpFrom(text string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(text)) }

// TestOneAddressLeavesConnections: however many an address opens, others get in.
func TestOneAddressLeavesConnections(t *testing.T) {
	for _, tt := range []struct {
		name       string
		all, other net.Addr
		most       int // of four
	}{
		{"IPv4", tcpFrom("192.0.2.1:1"), tcpFrom("192.0.2.2:1"), 3},
		{"IPv4 at an IPv6 socket", tcpFrom("[::ffff:192.0.2.1]:1"), tcpFrom("[::ffff:192.0.2.2]:1"), 3},
		{"a network of IPv6", tcpFrom("[2001:db8::1]:1"), tcpFrom("[2001:db8:0:1::1]:1"), 3},
		{"a socket in the file system", &net.UnixAddr{Net: "unix"}, nil, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			core, logs := observer.New(zap.WarnLevel)
			l := &pipes{make(chan net.Conn), make(chan struct{})}
			e := newEntrance(door{Listener: l}, 4, zap.New(core))
			in := make(chan net.Conn)
			go func() {
				for {
					conn, err := e.Accept()
					if err != nil {
						return
					}
					in <- conn
				}
			}()
			var first net.Conn
			for range tt.most {
				l.knock(tt.all)
				first = <-in
			}
			if tt.other != nil {
				if _, err := l.knock(tt.all).Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
					t.Errorf("one more reads %v, want to be hung up on", err)
				}
				l.knock(tt.other)
				other := <-in
				if logs.FilterMessage("an address has its share of the connections; a further one was closed").Len() != 1 {
					t.Errorf("logged %v", logs.All())
				}
				_ = other.Close()
			}
			_ = first.Close()
			l.knock(tt.all)
			<-in
			_ = e.Close()
		})
	}
}

// TestAFullHouseIsLogged: who has to wait is not told, but somebody is.
func TestAFullHouseIsLogged(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	l := &pipes{make(chan net.Conn), make(chan struct{})}
	e := newEntrance(door{Listener: l}, 1, zap.New(core))
	accept := func() net.Conn {
		conn, _ := e.Accept()
		return conn
	}
	go l.knock(tcpFrom("192.0.2.1:1"))
	first := accept()
	second := make(chan net.Conn)
	go func() { second <- accept() }()
	go l.knock(tcpFrom("192.0.2.2:1"))
	redistest.Eventually(t, "it is logged", func() bool {
		return logs.FilterMessage("as many clients are connected as may be; further ones wait").Len() == 1
	})
	select {
	case <-second:
		t.Fatal("there are two connections, want one")
	default:
	}
	_ = first.Close()
	<-second
	_ = e.Close()
}

// late is a listener whose last client comes in the moment in which it stops.
type late struct {
	pipes
	stopped chan struct{}
	guests  chan net.Conn
}

func (l *late) SetDeadline(time.Time) error { close(l.stopped); return nil }

func (l *late) Accept() (net.Conn, error) {
	<-l.stopped
	select {
	case conn := <-l.guests:
		return conn, nil
	default:
		return nil, os.ErrDeadlineExceeded
	}
}

// TestStopWaitsForTheLastOne: who was let in last is seen off like the others.
func TestStopWaitsForTheLastOne(t *testing.T) {
	l := &late{pipes: pipes{done: make(chan struct{})}, stopped: make(chan struct{}), guests: make(chan net.Conn, 1)}
	conn, _ := net.Pipe()
	l.guests <- conn
	e := newEntrance(door{Listener: l, stays: true}, 4, zap.NewNop())
	go func() {
		for {
			if _, err := e.Accept(); err != nil {
				return
			}
		}
	}()
	e.stop(t.Context())
	if n := e.left(time.Now()); n != 1 {
		t.Errorf("%d are in, want the last one", n)
	}
	_ = e.Close()
}
