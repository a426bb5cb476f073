package streamutil_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// What a Redis in trouble says, as callers see it: whether they may try again,
// and under which kind it is counted.
func TestTroubleWithRedis(t *testing.T) {
	for _, c := range []struct {
		name string
		with streamutil.ClientConfig
		make func(t *testing.T, srv *redistest.Server)
		kind string
		is   error // nil: none that a caller decides on
	}{{
		name: "a wrong password",
		with: streamutil.ClientConfig{Password: "wrong"},
		make: func(_ *testing.T, srv *redistest.Server) { srv.CLI("CONFIG", "SET", "requirepass", "right") },
		kind: "auth", is: streamutil.ErrUnavailable,
	}, {
		name: "no password where one is needed",
		make: func(_ *testing.T, srv *redistest.Server) { srv.CLI("CONFIG", "SET", "requirepass", "right") },
		kind: "auth", is: streamutil.ErrUnavailable,
	}, {
		name: "a user who may not run scripts",
		with: streamutil.ClientConfig{Username: "reader", Password: "pw"},
		make: func(_ *testing.T, srv *redistest.Server) {
			srv.CLI("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@connection", "+ping")
		},
		kind: "auth", is: streamutil.ErrUnavailable,
	}, {
		name: "a replica",
		make: func(t *testing.T, srv *redistest.Server) {
			master := redistest.Start(t)
			host, port, _ := net.SplitHostPort(master.Addr())
			srv.CLI("REPLICAOF", host, port)
			redistest.Eventually(t, "the replica is in step", func() bool {
				return strings.Contains(srv.CLI("INFO", "replication"), "master_link_status:up")
			})
		},
		kind: "readonly", is: streamutil.ErrUnavailable,
	}, {
		name: "a replica without its master",
		make: func(_ *testing.T, srv *redistest.Server) {
			srv.CLI("CONFIG", "SET", "replica-serve-stale-data", "no")
			srv.CLI("REPLICAOF", "127.0.0.1", "1")
		},
		kind: "readonly", is: streamutil.ErrUnavailable,
	}, {
		name: "fewer replicas than it wants",
		make: func(_ *testing.T, srv *redistest.Server) { srv.CLI("CONFIG", "SET", "min-replicas-to-write", "1") },
		kind: "replicas", is: streamutil.ErrUnavailable,
	}, {
		name: "a command that we may not run",
		make: func(_ *testing.T, srv *redistest.Server) { srv.CLI("ACL", "SETUSER", "default", "-xadd") },
		kind: "auth", is: streamutil.ErrUnavailable,
	}, {
		name: "full memory",
		make: func(_ *testing.T, srv *redistest.Server) { srv.CLI("CONFIG", "SET", "maxmemory", "1") },
		kind: "oom", is: streamutil.ErrMemory,
	}, {
		name: "not there any more",
		make: func(_ *testing.T, srv *redistest.Server) { srv.Kill() },
		kind: "connection", is: streamutil.ErrUnavailable,
	}, {
		name: "frozen",
		make: func(_ *testing.T, srv *redistest.Server) { srv.Stop() },
		kind: "timeout", is: streamutil.ErrUnavailable,
	}, {
		name: "a key of another type under the queue's name",
		make: func(_ *testing.T, srv *redistest.Server) { srv.CLI("SET", "orderq:{orders}:stream", "hello") },
		kind: "other",
	}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t)
			c.make(t, srv)
			c.with.Addresses = []string{srv.Addr()}
			client := streamutil.NewClient(c.with)
			defer client.Close()
			q, err := streamutil.NewQueue(client, streamutil.QueueConfig{})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = q.Enqueue(t.Context(), streamutil.NewOrder{ID: "A", Body: []byte("{}")})
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("took %v", took)
			}
			if kind := streamutil.ErrorKind(err); kind != c.kind {
				t.Errorf("kind %q of %v, want %q", kind, err, c.kind)
			}
			for _, sentinel := range []error{streamutil.ErrUnavailable, streamutil.ErrMemory} {
				if got, want := errors.Is(err, sentinel), errors.Is(sentinel, c.is); got != want {
					t.Errorf("%v is %q: %v", err, sentinel, got)
				}
			}
			if !slices.Contains(streamutil.ErrorKinds(), c.kind) {
				t.Errorf("kind %q is not listed", c.kind)
			}
		})
	}
}

// While Redis reads its data it answers LOADING.
func TestRedisIsLoading(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	h.submit("A")
	srv.CLI("CONFIG", "SET", "rdbcompression", "no")
	h.redis("EVAL", "for i = 1, 200 do redis.call('SET', 'k' .. i, string.rep('v', 2000)) end", "0")
	srv.CLI("CONFIG", "SET", "key-load-delay", "20000") // µs each
	// It looks at other clients after every key.
	srv.CLI("CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
	loading := make(chan struct{})
	go func() {
		defer close(loading)
		_, _ = srv.Do("DEBUG", "RELOAD") // its error is that the server dies before it is done
	}()
	redistest.Eventually(t, "Redis says that it is loading", func() bool {
		_, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "A", Body: []byte(`{"of":"A"}`)})
		return errors.Is(err, streamutil.ErrUnavailable) && streamutil.ErrorKind(err) == "loading"
	})
	srv.Kill()
	<-loading
}

func TestErrorsOfTheDomainAreNoTrouble(t *testing.T) {
	for _, err := range []error{
		nil, streamutil.ErrFull, streamutil.ErrConflict, streamutil.ErrNotFound, streamutil.ErrGone,
		streamutil.ErrStale, streamutil.ErrNotConfirmed, streamutil.ErrDurability,
	} {
		if kind := streamutil.ErrorKind(err); kind != "" {
			t.Errorf("%v is counted as %q", err, kind)
		}
		if errors.Is(err, streamutil.ErrUnavailable) {
			t.Errorf("%v: Redis is not available", err)
		}
	}
}

// A script that the server forgot is sent again in full.
func TestScriptsAreLoadedAgain(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	h.submit("A")
	srv.CLI("SCRIPT", "FLUSH")
	h.expect(h.submit("B"), "accepted B waiting position=2")
	if n := h.redis("EVAL", "return tostring(redis.call('XLEN', KEYS[1]))", "1", "%stream"); n != "2" {
		t.Errorf("%s entries", n)
	}
}
