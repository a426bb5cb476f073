package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// pipes is a listener whose clients are in the same bubble of fake time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// TestSlowClientsAreCut: nobody holds a connection for longer than its bound.
func TestSlowClientsAreCut(t *testing.T) {
	const answer = "HTTP/1.1 200 OK"
	for _, tt := range []struct {
		name string
		send string
		read bool // the answer, as a client does
		want time.Duration
	}{
		{"sends nothing", "", true, 5 * time.Second},
		{"stops in the header", "GET / HTTP/1.1\r\nHost: a\r\nX", true, 5 * time.Second},
		{"stops in the body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{", true, 15 * time.Second},
		{"asks no more", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, time.Minute},
		{"does not read", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", false, 20 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return
					}
					_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
				})
				server, l := newServer(handler, zap.NewNop()), &pipes{make(chan net.Conn), make(chan struct{})}
				served := make(chan error)
				go func() { served <- server.Serve(l) }()
				client := l.dial()
				start := time.Now()
				fmt.Fprint(client, tt.send)
				if !tt.read {
					<-time.After(tt.want)
					synctest.Wait()
				}
				got, err := io.ReadAll(client)
				if took := time.Since(start); err != nil || took < tt.want || took > tt.want+time.Second {
					t.Errorf("cut after %v (%v), want %v", took, err, tt.want)
				}
				whole := strings.HasPrefix(string(got), answer) && len(got) > 1<<20
				if want := tt.name == "asks no more"; whole != want {
					t.Errorf("read %d bytes; the whole answer: %t, want %t", len(got), whole, want)
				}
				_ = server.Close()
				<-served
			})
		})
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, l := newServer(http.NotFoundHandler(), zap.NewNop()), &pipes{make(chan net.Conn), make(chan struct{})}
		served := make(chan error)
		go func() { served <- server.Serve(l) }()
		client := l.dial()
		go func() {
			// The rest of it is not read by anybody.
			fmt.Fprintf(client, "GET / HTTP/1.1\r\nHost: a\r\nX-Large: %s\r\n\r\n", strings.Repeat("x", 32<<10))
		}()
		answer, err := io.ReadAll(client)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") {
			t.Errorf("answer %q (%v), want 431", answer, err)
		}
		_ = server.Close()
		<-served
	})
}

// TestServerLog: one message for all that net/http says, so that it can be cut.
func TestServerLog(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	to := serverLog(zap.New(core))
	to.Printf("http: TLS handshake error from %s: EOF", "192.0.2.1:1")
	to.Printf("http: TLS handshake error from %s: EOF", "192.0.2.2:2")
	for i, e := range logs.All() {
		want := fmt.Sprintf("http: TLS handshake error from 192.0.2.%d:%[1]d: EOF", i+1)
		if e.Message != "a connection went wrong" || e.ContextMap()["reason"] != want {
			t.Errorf("logged %q, %v", e.Message, e.ContextMap())
		}
	}
	if logs.Len() != 2 {
		t.Errorf("%d lines, want 2", logs.Len())
	}
}
