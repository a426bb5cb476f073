package streamutil_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestAwaitEntry(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if rang, err := h.q.AwaitEntry(t.Context(), streamutil.EntryID{}, 10*time.Millisecond); rang || err != nil {
		t.Errorf("nothing there: %v, %v", rang, err)
	}
	h.submit("A")
	if rang, err := h.q.AwaitEntry(t.Context(), streamutil.EntryID{}, time.Minute); !rang || err != nil {
		t.Errorf("one is there: %v, %v", rang, err)
	}
	if rang, err := h.q.AwaitEntry(t.Context(), h.entries["A"], time.Millisecond); rang || err != nil {
		t.Errorf("none after it: %v, %v", rang, err)
	}
}

// It rings when an order comes while it waits.
func TestAwaitEntryRings(t *testing.T) {
	t.Parallel()
	h := harnessOn(t, redistest.Start(t), streamutil.ClientConfig{}, streamutil.QueueConfig{})
	rang := make(chan error, 1)
	go func() {
		ok, err := h.q.AwaitEntry(t.Context(), streamutil.EntryID{}, time.Minute)
		if !ok && err == nil {
			err = errors.New("it did not ring")
		}
		rang <- err
	}()
	awaitBlocked(t, h.srv)
	h.submit("A")
	if err := <-rang; err != nil {
		t.Error(err)
	}
}

// A wait that is cancelled ends at once and loses nothing: the order that comes
// is there for the next take.
func TestAwaitEntryCancelled(t *testing.T) {
	t.Parallel()
	h := harnessOn(t, redistest.Start(t), streamutil.ClientConfig{}, streamutil.QueueConfig{})
	h.register("c1")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := h.q.AwaitEntry(ctx, streamutil.EntryID{}, time.Minute)
		ended <- err
	}()
	awaitBlocked(t, h.srv)
	began := time.Now()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || errors.Is(err, streamutil.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	h.submit("A")
	h.expect(h.take("c1", 1, 1), "taken A#1")
}

func TestAwaitEntryWithoutRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	ended := make(chan error, 1)
	go func() {
		_, err := h.q.AwaitEntry(t.Context(), streamutil.EntryID{}, time.Minute)
		ended <- err
	}()
	awaitBlocked(t, srv)
	srv.Kill()
	if err := <-ended; !errors.Is(err, streamutil.ErrUnavailable) || streamutil.ErrorKind(err) != "connection" {
		t.Errorf("%v of kind %q", err, streamutil.ErrorKind(err))
	}
}

// awaitBlocked returns when a client of the server waits in a blocking command.
func awaitBlocked(t *testing.T, srv *redistest.Server) {
	t.Helper()
	redistest.Eventually(t, "a client waits", func() bool {
		return strings.Contains(srv.CLI("INFO", "clients"), "blocked_clients:1")
	})
}
