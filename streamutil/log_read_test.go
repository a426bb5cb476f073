package streamutil_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// whats tells which lines a page holds.
func whats(t *testing.T, lines []streamutil.LogEntry, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, l := range lines {
		words = append(words, l.What)
	}
	return strings.Join(words, " ")
}

func TestLogPages(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	ctx := t.Context()
	none := streamutil.EntryID{}
	for _, read := range []func() ([]streamutil.LogEntry, error){
		func() ([]streamutil.LogEntry, error) { return h.q.Log(ctx, none, 10) },
		func() ([]streamutil.LogEntry, error) { return h.q.LogBack(ctx, none, 10) },
		func() ([]streamutil.LogEntry, error) { return h.q.Tail(ctx, none, time.Millisecond) },
	} {
		if lines, err := read(); err != nil || len(lines) != 0 {
			t.Errorf("before anything: %v, %v", lines, err)
		}
	}
	at := func(n uint64) streamutil.EntryID { return streamutil.EntryID{Ms: n} }
	for i := range 5 {
		h.redis("XADD", "%log", fmt.Sprintf("%d-0", i+1), "what", fmt.Sprint(i+1))
	}
	for _, tt := range []struct {
		name string
		read func(context.Context, streamutil.EntryID, int) ([]streamutil.LogEntry, error)
		from streamutil.EntryID
		n    int
		want string
	}{
		{"all", h.q.Log, none, 0, "1 2 3 4 5"},
		{"first", h.q.Log, none, 2, "1 2"},
		{"next", h.q.Log, at(2), 2, "3 4"},
		{"last", h.q.Log, at(4), 2, "5"},
		{"behind all", h.q.Log, at(5), 2, ""},
		{"back, all", h.q.LogBack, none, 0, "5 4 3 2 1"},
		{"back, first", h.q.LogBack, none, 2, "5 4"},
		{"back, next", h.q.LogBack, at(4), 2, "3 2"},
		{"back, last", h.q.LogBack, at(2), 2, "1"},
		{"back, before all", h.q.LogBack, at(1), 2, ""},
	} {
		lines, err := tt.read(ctx, tt.from, tt.n)
		if got := whats(t, lines, err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	h.redis("XDEL", "%log", "3-0")
	lines, err := h.q.Log(ctx, at(3), 2)
	if got := whats(t, lines, err); got != "4 5" {
		t.Errorf("behind a line that is gone: %q", got)
	}
}

func TestLogTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	everyState(h)
	h.pause(time.Minute)
	h.setPace(2*time.Second, time.Hour)
	h.resetPace()
	h.requeue("rejected")
	var got []streamutil.LogEntry
	lines, err := h.q.Log(t.Context(), streamutil.EntryID{}, 0)
	whats(t, lines, err)
	for _, l := range lines {
		if l.ID.Time() != l.Time || l.Time.IsZero() {
			t.Errorf("line %+v: the time is not its own", l)
		}
		l.ID, l.Time = streamutil.EntryID{}, time.Time{}
		if slices.Contains([]string{"pause", "pace", "requeue", "dead", "cancel"}, l.What) {
			got = append(got, l)
		}
	}
	by := func(l streamutil.LogEntry) streamutil.LogEntry {
		l.Who, l.Why = operator.Who, operator.Why
		return l
	}
	want := []streamutil.LogEntry{
		{What: "dead", OrderID: "rejected", Entry: h.entries["rejected"], Reason: "rejected"},
		by(streamutil.LogEntry{What: "cancel", OrderID: "cancelled"}),
		by(streamutil.LogEntry{What: "pause", For: time.Minute}),
		by(streamutil.LogEntry{What: "pace", Interval: 2 * time.Second, For: time.Hour}),
		by(streamutil.LogEntry{What: "pace", Interval: -time.Microsecond}),
		by(streamutil.LogEntry{What: "requeue", OrderID: "rejected", Entry: h.entries["rejected~2"]}),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	type answer struct {
		lines []streamutil.LogEntry
		err   error
	}
	told := make(chan answer, 1)
	go func() {
		lines, err := h.q.Tail(t.Context(), streamutil.EntryID{}, time.Minute)
		told <- answer{lines, err}
	}()
	redistest.Eventually(t, "the tail waits", func() bool {
		return strings.Contains(h.redis("CLIENT", "LIST"), "cmd=xread") // other tests' waits count as well: it is only a head start
	})
	h.pause(0)
	if a := <-told; whats(t, a.lines, a.err) != "pause" {
		t.Errorf("told %+v", a)
	}
	lines, err := h.q.Tail(t.Context(), streamutil.EntryID{}, time.Minute)
	if whats(t, lines, err) != "pause" {
		t.Errorf("what is there already: %+v", lines)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.q.Tail(ctx, lines[0].ID, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("a tail that is stopped: %v", err)
	}
	h.redis("SET", "%log", "no log")
	if _, err := h.q.Tail(t.Context(), streamutil.EntryID{}, time.Minute); err == nil || errors.Is(err, streamutil.ErrUnavailable) {
		t.Errorf("a log that is none: %v", err)
	}
}
