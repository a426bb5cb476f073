package streamutil_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestClientWithoutRedis(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	srv := redistest.Start(t)
	srv.Kill()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}})
	began := time.Now()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := client.Ping(t.Context()); !errors.Is(err, streamutil.ErrUnavailable) {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("20 calls took %v", took)
	}
	srv.Restart()
	redistest.Eventually(t, "the client connects by itself", func() bool { return client.Ping(t.Context()) == nil })
	srv.Kill()
	if err := client.Ping(t.Context()); !errors.Is(err, streamutil.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	srv.Restart()
	redistest.Eventually(t, "and again", func() bool { return client.Ping(t.Context()) == nil })
	client.Close()
	srv.Kill()
	goleak.VerifyNone(t, leaks)
}

// Redis takes connections and answers nothing: calls end in their own time, and
// leave nothing running.
func TestClientOfASilentServer(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{silent.Addr().String()}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := client.Ping(ctx); !errors.Is(err, streamutil.ErrUnavailable) || streamutil.ErrorKind(err) != "timeout" {
		t.Errorf("%v of kind %q", err, streamutil.ErrorKind(err))
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	client.Close()
	silent.Close()
	goleak.VerifyNone(t, leaks)
}

func TestClosedClient(t *testing.T) {
	t.Parallel()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redistest.Shared(t).Addr()}})
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.Close()
	client.Close()
	if err := client.Ping(t.Context()); !errors.Is(err, streamutil.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// What a person sees of where Redis is has no secrets in it.
func TestClientAddr(t *testing.T) {
	for _, c := range []struct {
		cfg  streamutil.ClientConfig
		want string
	}{
		{streamutil.ClientConfig{}, "redis 127.0.0.1:6379 db 0"},
		{streamutil.ClientConfig{Addresses: []string{"a:1", "b:2"}, DB: 3, Username: "u", Password: "secret"}, "redis a:1,b:2 db 3"},
		{
			streamutil.ClientConfig{SentinelMaster: "m", SentinelAddresses: []string{"s:1"}, Password: "secret"},
			"redis master m by sentinel s:1",
		},
	} {
		if got := streamutil.NewClient(c.cfg).Addr(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestClientUsesItsDatabaseAndName(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, streamutil.ClientConfig{DB: 3, ClientName: "test-name"}, streamutil.QueueConfig{})
	h.q.Ping(t.Context())
	if list := srv.CLI("CLIENT", "LIST"); !strings.Contains(list, "name=test-name") || !strings.Contains(list, "db=3") {
		t.Errorf("clients:\n%s", list)
	}
}
