package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// startedRedis is what startDevRedis gives in a folder of the test's own.
func startedRedis(t *testing.T, choice, dir string) *devRedis {
	t.Helper()
	lock, err := openDevDir(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	r, err := startDevRedis(t.Context(), choice, redisDir(dir), lock)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func devQueue(t *testing.T, addr string) *streamutil.Queue {
	t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	t.Cleanup(client.Close)
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestDevRedisKeepsOrders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startedRedis(t, "auto", dir)
	if !strings.HasPrefix(first.about, "redis-server ") {
		t.Fatalf("got %q; these tests need redis-server on the PATH", first.about)
	}
	order := streamutil.NewOrder{ID: "a", Body: []byte(`{}`)}
	if _, err := devQueue(t, first.addr).Enqueue(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-first.gone:
	default:
		t.Error("the end of redis-server was not seen")
	}
	second := startedRedisAgain(t, dir)
	if r, err := devQueue(t, second.addr).Lookup(t.Context(), "a"); err != nil || r.State != streamutil.Waiting {
		t.Errorf("after a restart: %+v, %v", r, err)
	}
	if err := second.stop(); err != nil {
		t.Error(err)
	}
}

// startedRedisAgain starts a second one on the files of the first, whose test
// still has the folder open.
func startedRedisAgain(t *testing.T, dir string) *devRedis {
	t.Helper()
	lock, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	r, err := startDevRedis(t.Context(), "auto", redisDir(dir), lock)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDevRedisHoldsTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := openDevDir(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	r, err := startDevRedis(t.Context(), "auto", redisDir(dir), lock)
	if err != nil {
		t.Fatal(err)
	}
	_ = lock.Close() // as if this process had died
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := openDevDir(short, dir, false); err == nil || !strings.Contains(err.Error(), "in use by another orderq dev") {
		t.Errorf("with a redis-server left running: %v", err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	again, err := openDevDir(t.Context(), dir, false)
	if err != nil {
		t.Fatalf("after its end: %v", err)
	}
	_ = again.Close()
}

func TestDevRedisEmbedded(t *testing.T) {
	tests := []struct {
		name, choice, path, about string
	}{
		{"asked for", "embedded", os.Getenv("PATH"), "as --redis asked"},
		{"nothing on the PATH", "auto", t.TempDir(), "there is no redis-server on the PATH"},
		{"too old", "auto", fakeRedisServer(t, "echo Redis server v=6.2.7 sha=0"), "is 6.2.7, and 7.0 is the least"},
		{"tells no version", "auto", fakeRedisServer(t, "exit 1"), "does not tell its version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", tt.path)
			r := startedRedis(t, tt.choice, t.TempDir())
			defer func() { _ = r.stop() }()
			if !strings.HasPrefix(r.about, "embedded in this process") || !strings.Contains(r.about, tt.about) {
				t.Errorf("got %q", r.about)
			}
			if err := devQueue(t, r.addr).Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// fakeRedisServer gives a folder with a redis-server that is a shell script.
func fakeRedisServer(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "redis-server"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDevRedisThatCannotStartSaysWhy(t *testing.T) {
	t.Setenv("PATH", fakeRedisServer(t, `test "$1" = --version && echo v=7.0.0 && exit
echo "Can't open the append-only file" > redis.log; exit 1`))
	dir := t.TempDir()
	lock, err := openDevDir(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	_, err = startDevRedis(t.Context(), "auto", redisDir(dir), lock)
	if err == nil || !strings.Contains(err.Error(), "Can't open the append-only file") {
		t.Errorf("got %v", err)
	}
}

func TestFreshForgetsWhatRedisKept(t *testing.T) {
	dir := t.TempDir()
	kept := filepath.Join(redisDir(dir), "appendonlydir")
	if err := os.MkdirAll(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, fresh := range []bool{false, true} {
		lock, err := openDevDir(t.Context(), dir, fresh)
		if err != nil {
			t.Fatal(err)
		}
		_ = lock.Close()
		if _, err := os.Stat(kept); os.IsNotExist(err) != fresh {
			t.Errorf("fresh %v: %v", fresh, err)
		}
	}
}
