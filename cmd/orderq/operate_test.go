package main

import (
	"bytes"
	"context"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// shop is a queue with one order in each of a few states, and a configuration
// file that names it.
type shop struct {
	t            *testing.T
	addr, config string
	queue        *streamutil.Queue
}

func newShop(t *testing.T) *shop {
	s := &shop{t: t, addr: redistest.Start(t).Addr(), config: filepath.Join(t.TempDir(), "orderq.yaml")}
	if err := os.WriteFile(s.config, []byte(redisConfig(s.addr)), 0o600); err != nil {
		t.Fatal(err)
	}
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{s.addr}})
	t.Cleanup(client.Close)
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	s.queue = q
	s.reject("dead-1", "dead-2")
	s.submit("waiting")
	return s
}

func (s *shop) submit(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		if _, err := s.queue.Enqueue(s.t.Context(), streamutil.NewOrder{ID: id, Body: []byte(`{}`)}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// reject submits orders that the partner does not take.
func (s *shop) reject(ids ...string) {
	s.t.Helper()
	ctx := s.t.Context()
	s.submit(ids...)
	slot, err := s.queue.Register(ctx, streamutil.Identity{Name: "w", Pace: streamutil.Unlimited, Lease: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	taken, err := s.queue.Take(ctx, streamutil.Take{Consumer: "w", K: 1, N: len(ids), Epoch: slot.Epoch, Slot: slot.Number})
	if err != nil || len(taken.Orders) != len(ids) {
		s.t.Fatalf("take: %+v, %v", taken, err)
	}
	for _, o := range taken.Orders {
		if _, err := s.queue.Settle(ctx, streamutil.Settlement{
			Consumer: "w", K: 1, Entry: o.Entry, OrderID: o.ID, Outcome: streamutil.OutcomeRejected, Status: 422,
		}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// orderq runs the program with no terminal.
func (s *shop) orderq(environ []string, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader("y\n"), stdout: &out, stderr: &errs, environ: environ}
	code = a.run(context.WithoutCancel(s.t.Context()), append([]string{"--config", s.config}, args...))
	return code, out.String(), errs.String()
}

func TestChangesEndWithTheirExitCodes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, tt := range []struct {
		name     string
		args     []string
		code     int
		out, err string // what each contains; "" for an empty output
	}{
		{"changed", []string{"pause", "--reason", "test"}, exitOK, "paused until", "undo: orderq --config " + s.config + " resume\n"},
		{"json", []string{"resume", "-o", "jsonl"}, exitOK, `"ended":["paused"]`, "queue orders on redis " + s.addr},
		{"refused", []string{"retry", "dead-1"}, exitFailed, "refused", "orderq: not done: dead-1 is a dead letter"},
		{"no reason", []string{"pause"}, exitUsage, "", "orderq: pause: say why"},
		{"no time", []string{"pause", "--reason", "x", "--for", "soon"}, exitUsage, "", `orderq: invalid argument "soon" for "--for" flag`},
		{"no ids", []string{"cancel"}, exitUsage, "", "orderq: orderq cancel: want at least one order id, and none empty; see orderq cancel --help\n"},
		{"no such flag", []string{"pace", "reset", "--for", "1h"}, exitUsage, "", "orderq: unknown flag: --for"},
		{"too many", []string{"pace", "1/s", "2/s"}, exitUsage, "", "orderq: accepts at most 1 arg(s)"},
		{"no such verb", []string{"dead", "requeu", "dead-1"}, exitUsage, "", "did you mean requeue?"},
		{"no verb", []string{"dead"}, exitUsage, "", "orderq: orderq dead: want a command: drop, list, requeue, show\n"},
		{"nobody to ask", []string{"dead", "requeue", "--all"}, exitUsage, "", "orderq: this change asks first, and there is no terminal to ask on: --yes"},
		{"not found", []string{"dead", "drop", "none", "--yes"}, exitNotFound, "not found", "orderq: not done: none is no dead letter\n"},
		{"bad configuration", []string{"resume", "--queue", "No Queue"}, exitConfig, "", "orderq: --queue"},
		{"unasked", []string{"dead", "requeue", "--all", "--yes"}, exitOK, "dead-2", "2 done\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := s.orderq(nil, tt.args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d\n%s", code, tt.code, errs)
			}
			if !strings.Contains(out, tt.out) || tt.out == "" && out != "" {
				t.Errorf("stdout %q, want %q in it", out, tt.out)
			}
			if !strings.Contains(errs, tt.err) {
				t.Errorf("stderr %q, want %q in it", errs, tt.err)
			}
		})
	}
}

func TestAChangeIsRecordedUnderItsOperatorsName(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	own := "uid " + strconv.Itoa(os.Getuid())
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		own = u.Username
	}
	for _, tt := range []struct {
		environ []string
		who     string
	}{
		{nil, own},
		{[]string{"USER=somebody"}, own},
		{[]string{"SUDO_USER=anna"}, "anna"},
	} {
		if code, _, errs := s.orderq(tt.environ, "pause", "--reason", "test"); code != exitOK {
			t.Fatalf("exit code %d: %s", code, errs)
		}
		snapshot, err := s.queue.Inspect(t.Context())
		if err != nil || snapshot.Pause == nil {
			t.Fatalf("not paused: %+v, %v", snapshot, err)
		}
		if want := (streamutil.Act{Who: tt.who + "@" + host, Why: "test"}); snapshot.Pause.By != want {
			t.Errorf("%q: recorded %+v, want %+v", tt.environ, snapshot.Pause.By, want)
		}
	}
	if got := userName("4294967290"); got != "uid 4294967290" {
		t.Errorf("a user without a name is %q", got)
	}
}
