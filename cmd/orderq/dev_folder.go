package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// devDir is where orderq dev keeps its files, in the working directory.
const devDir = ".orderq"

// lockWait is how long the end of the one before may take.
const lockWait = 3 * time.Second

// openDevDir makes the folder and locks it for this process and the
// redis-server that it starts. Fresh empties it.
func openDevDir(ctx context.Context, dir string, fresh bool) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := flock(ctx, lock, dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if fresh {
		if err := os.RemoveAll(redisDir(dir)); err != nil {
			return nil, errors.Join(fmt.Errorf("begin afresh: %w", err), lock.Close())
		}
	}
	return lock, nil
}

func redisDir(dir string) string { return filepath.Join(dir, "redis") }

func flock(ctx context.Context, lock *os.File, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", dir, err)
		}
		if sleep(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("%s is in use by another orderq dev, or by the redis-server that one left running", dir)
		}
	}
}

// devSettings are the values that differ from the defaults.
type devSettings struct {
	redis, queue, listen, admin, pace, apiURL string
}

// pairs gives the settings as --set takes them.
func (s devSettings) pairs() []string {
	return []string{
		"redis.addresses=" + s.redis, "queue.name=" + s.queue,
		"producer.listen=" + s.listen, "producer.admin=" + s.admin,
		"consumer.admin=" + s.admin, "consumer.pace=" + s.pace, "consumer.api.url=" + s.apiURL,
	}
}

// write makes the configuration that lets other commands find this queue, and
// an empty .env beside it: one in the working directory, with the password of
// another Redis perhaps, then counts for nobody.
func (s devSettings) write(path string) error {
	dotenv := filepath.Join(filepath.Dir(path), ".env")
	if err := os.WriteFile(dotenv, []byte("# Empty, so that no other .env counts here.\n"), 0o644); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	var b strings.Builder
	b.WriteString("# Written by orderq dev at every start, so that other commands find its queue:\n" +
		"#   bin/orderq status --config " + path + "\n")
	fmt.Fprintf(&b, "redis:\n  addresses: [%q]\n", s.redis)
	fmt.Fprintf(&b, "queue:\n  name: %q\n", s.queue)
	fmt.Fprintf(&b, "producer:\n  listen: %q\n  admin: %q\n", s.listen, s.admin)
	fmt.Fprintf(&b, "consumer:\n  admin: %q\n  pace: %q\n  api:\n    url: %q\n", s.admin, s.pace, s.apiURL)
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}
