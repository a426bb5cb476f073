package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"orderq/internal/redistest"
)

// TestRestartsBehindASocket restarts a producer whose listener systemd keeps, while
// clients that never try twice submit orders.
func TestRestartsBehindASocket(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	start := func() *program {
		p := runProgram(t, withSocket(file), "producer", "--set", "redis.addresses="+redis.Addr())
		if at := p.line(t, takesOrders)["address"]; at != l.Addr().String() {
			t.Errorf("it takes orders at %v, want %v", at, l.Addr())
		}
		return p
	}

	const restarts = 5
	var over, failed atomic.Bool
	var posted atomic.Int64
	var clients errgroup.Group
	for c := range 4 {
		clients.Go(func() error {
			once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for i := 0; !over.Load(); i++ {
				body := fmt.Sprintf(`{"order_id":"S-%d-%d"}`, c, i)
				resp, err := once.Post("http://"+l.Addr().String()+"/v1/orders", "application/json", strings.NewReader(body))
				if err != nil {
					failed.Store(true)
					return err
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusAccepted {
					failed.Store(true)
					return fmt.Errorf("%s: %s", body, resp.Status)
				}
				posted.Add(1)
			}
			return nil
		})
	}
	for range restarts {
		p, before := start(), posted.Load()
		redistest.Eventually(t, "orders flow", func() bool { return posted.Load() > before+20 || failed.Load() })
		p.terminate(t)
	}
	last := start()
	over.Store(true)
	if err := clients.Wait(); err != nil {
		t.Errorf("a request failed: %v", err)
	}
	last.terminate(t)
	t.Logf("%d requests over %d restarts, none failed", posted.Load(), restarts)
}
