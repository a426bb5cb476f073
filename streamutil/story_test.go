package streamutil_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

// story tells in words what is known under an id.
func (h *harness) story(id string) string {
	h.t.Helper()
	s, err := h.q.Story(h.t.Context(), id)
	if errors.Is(err, streamutil.ErrNotFound) {
		return "not found"
	}
	if err != nil {
		h.t.Fatal(err)
	}
	words := []string{s.OrderID, h.alias(s.Entry.String()), string(s.State)}
	if s.Record != nil {
		words = append(words, "record")
	}
	if s.Stray {
		words = append(words, "stray")
	}
	if s.Held != nil {
		words = append(words, "held as "+string(s.Held.State))
	}
	if s.Letter != nil {
		words = append(words, "letter "+s.Letter.Cause())
	}
	if len(s.Body) > 0 {
		words = append(words, "body "+string(s.Body))
	}
	words = append(words, "log")
	for _, l := range s.Lines {
		words = append(words, l.What)
	}
	return strings.Join(words, " ")
}

func TestStory(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if got := h.story("X"); got != "not found" {
		t.Errorf("before anything: %q", got)
	}
	h.redis("XADD", "%dead", "7-7", "id", "flying", "body", "{}", "reason", "duplicate", "entry", "7-1")
	// So far ahead that the letters behind it share no id with an entry of their millisecond.
	h.redis("XADD", "%dead", "9999999999999-0", "id", "", "body", "", "reason", "undecodable", "entry", "7-2", "raw", "{}")
	everyState(h)
	h.addByHand("twin", "id", "first", "body", "{}")
	h.addByHand("stray", "note", "hello")
	entry := func(name string) string { return h.entries[name].String() }
	letter, err := h.q.DeadLetterOf(t.Context(), "rejected")
	if err != nil {
		t.Fatal(err)
	}
	const (
		rejected = `rejected rejected dead record letter rejected 500 body {"of":"rejected"} log dead attempt`
		first    = `first first waiting record held as waiting body {"of":"first"} log`
	)
	for _, tt := range []struct{ name, id, want string }{
		{"waiting", "first", first},
		{"waiting, by entry", entry("first"), first},
		{"in flight", "flying", `flying flying in_flight record held as in_flight body {"of":"flying"} log`},
		{"parked", "parked", `parked parked parked record held as parked body {"of":"parked"} log attempt`},
		{"delivered", "delivered", "delivered delivered delivered record log attempt"},
		{"delivered, by entry", entry("delivered"), "delivered delivered delivered record log attempt"},
		{"cancelled", "cancelled", "cancelled cancelled cancelled record log cancel"},
		{"dead", "rejected", rejected},
		{"dead, by entry", entry("rejected"), rejected},
		{"dead, by letter", letter.ID.String(), rejected},
		{"beside an order's own", entry("twin"), "first twin waiting stray held as waiting body {} log"},
		{"no order", entry("stray"), " stray waiting held as waiting log"},
		{"a duplicate's letter", "7-7", "flying 7-1 dead stray letter duplicate body {} log"},
		{"an undecodable's entry", "7-2", " 7-2 dead letter undecodable log"},
		{"nobody's entry", "8-8", "not found"},
		{"no id at all", "\x1b[2J", "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := h.story(tt.id); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	t.Run("sent again", func(t *testing.T) {
		h.requeue("rejected")
		want := `rejected rejected~2 waiting record held as waiting body {"of":"rejected"} log dead attempt requeue`
		for _, id := range []string{"rejected", entry("rejected"), entry("rejected~2")} {
			if got := h.story(id); got != want {
				t.Errorf("%s: %q, want %q", h.alias(id), got, want)
			}
		}
	})
	t.Run("only the log tells of it", func(t *testing.T) {
		h.redis("DEL", "%order:delivered", "%order:cancelled")
		for id, want := range map[string]string{
			"delivered": "delivered 0-0 delivered log attempt", entry("delivered"): "delivered delivered delivered log attempt",
			"cancelled": "cancelled 0-0 cancelled log cancel",
		} {
			if got := h.story(id); got != want {
				t.Errorf("%s: %q, want %q", h.alias(id), got, want)
			}
		}
	})
	t.Run("only the letter tells of it", func(t *testing.T) {
		h.redis("XADD", "%dead", "*", "id", "lost", "body", "{}", "reason", "rejected", "status", "422", "entry", "9-1")
		if got, want := h.story("lost"), "lost 9-1 dead letter rejected 422 body {} log"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// An order's story reaches past the first page of the log and of the letters.
func TestStoryLooksThroughAllPages(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	inFlight(h)
	h.delivered("c1", 1, "A")
	h.redis("EVAL", `for i = 1, ARGV[1] do
		redis.call('XADD', KEYS[1], '*', 'what', 'attempt', 'order', 'X-' .. i)
		redis.call('XADD', KEYS[2], '5-' .. i, 'id', 'D-' .. i, 'entry', '4-' .. i, 'reason', 'poison') end`,
		"2", "%log", "%dead", "1100")
	want := "A A delivered record log attempt"
	for _, id := range []string{"A", h.entries["A"].String()} {
		if got := h.story(id); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, id := range []string{"4-1099", "5-1099", "D-1099"} {
		if got := h.story(id); got != "D-1099 4-1099 dead letter poison log" {
			t.Errorf("%s: %q", id, got)
		}
	}
}

// Looking at what a hand wrote never fails where there is something to see.
func TestLooksAtNonsenseByHand(t *testing.T) {
	for _, key := range []string{"control", "pace", "stats", "order:A", "consumers"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			inFlight(h)
			h.settle("c1", 1, "A", streamutil.OutcomeFailed, time.Hour)
			for field := range strings.FieldsSeq("entry seq attempts strikes taken state outcome pace slot clock_last clock_offset hold_until paused c1 c2") {
				h.redis("HSET", "%"+key, field, "\xff nonsense")
			}
			h.redis("HSET", "%consumers", "c3", `{"beat":1,"k":1,"pace":1,"lease":{},"seen":null,"start":"x"}`)
			if got := h.listed(streamutil.Listing{}); len(got) != 2 {
				t.Errorf("listed %q", got)
			}
			h.story("A")
			h.snapshot()
		})
	}
}
