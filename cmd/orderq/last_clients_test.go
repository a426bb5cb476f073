package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"orderq/internal/redistest"
)

// shopper submits orders for as long as it is let in, and never one of them twice.
type shopper struct {
	host, name string
	keepsAlive bool

	conn net.Conn
	in   *bufio.Reader
	sent time.Time // when its last request was begun

	accepted []string
	draining int
}

// patient is how long a shopper may take from one step to the next so that it can
// complain: a server need not wait for those who are slower.
const patient = restAfter / 2

// shop submits until nobody listens any more. The error is that of a request which
// had a connection and no answer.
func (c *shopper) shop(served *atomic.Int64) error {
	for n := 0; ; n++ {
		began, fresh := c.sent, c.conn == nil
		if fresh {
			began = time.Now()
			conn, err := net.Dial("tcp", c.host)
			if errors.Is(err, syscall.ECONNREFUSED) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s-%d: %w", c.name, n, err)
			}
			c.conn, c.in = conn, bufio.NewReader(conn)
		}
		c.sent = time.Now()
		status, err := c.submit(fmt.Sprintf("%s-%d", c.name, n))
		switch {
		case err == nil && status == http.StatusAccepted:
			c.accepted = append(c.accepted, fmt.Sprintf("%s-%d", c.name, n))
		case err == nil && status == http.StatusServiceUnavailable:
			c.draining++
		case err == nil:
			return fmt.Errorf("%s-%d: status %d", c.name, n, status)
		case c.sent.Sub(began) > patient:
		case runtime.GOOS != "linux" && fresh: // see shutOut
		default:
			return fmt.Errorf("%s-%d, a new connection: %t, written after %v: %w", c.name, n, fresh, c.sent.Sub(began), err)
		}
		served.Add(1)
	}
}

// submit sends an order and reads the answer.
func (c *shopper) submit(id string) (status int, err error) {
	body := fmt.Sprintf(`{"order_id":%q}`, id)
	ending := "Connection: close\r\n"
	if c.keepsAlive {
		ending = ""
	}
	hangUp := true
	defer func() {
		if hangUp {
			_ = c.conn.Close()
			c.conn = nil
		}
	}()
	if _, err := fmt.Fprintf(c.conn, "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s", ending, len(body), body); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		return 0, err
	}
	hangUp = resp.Close
	return resp.StatusCode, nil
}

// TestNobodyIsLeftWithoutAnAnswer stops a producer that has a listener of its own
// while shoppers submit orders, on new connections and on kept ones, and one is
// connected and says nothing.
func TestNobodyIsLeftWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	for stop := range 3 {
		p := runProgram(t, nil, "producer", "--set", "redis.addresses="+redis.Addr())
		host := strings.TrimPrefix(p.address(t, takesOrders), "http://")
		p.line(t, connected)
		silent, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = silent.Close() })
		var served atomic.Int64
		var all sync.WaitGroup
		shoppers := make([]*shopper, 24)
		for i := range shoppers {
			c := &shopper{host: host, name: fmt.Sprintf("N-%d-%d", stop, i), keepsAlive: i%3 == 0}
			shoppers[i] = c
			all.Go(func() {
				if err := c.shop(&served); err != nil {
					t.Error(err)
				}
			})
		}
		redistest.Eventually(t, "orders flow", func() bool { return served.Load() > 500 || t.Failed() })
		p.terminate(t)
		all.Wait()
		accepted, draining := 0, 0
		for _, c := range shoppers {
			draining += c.draining
			for _, id := range c.accepted {
				accepted++
				if redis.CLI("HGET", "orderq:{orders}:order:"+id, "state") != "waiting" {
					t.Errorf("%s was accepted and is not in the queue", id)
				}
			}
		}
		t.Logf("%d accepted, %d told that it goes", accepted, draining)
		if draining == 0 {
			t.Error("nobody was told that it goes")
		}
	}
}
