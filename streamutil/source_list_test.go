package streamutil_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// source is an older system's list, whose oldest item is at one end.
type source struct {
	*streamutil.SourceList
	t    *testing.T
	srv  *redistest.Server
	key  string
	tail bool
}

func newSource(t *testing.T, tail bool) *source {
	return newSourceOn(t, redistest.Shared(t), tail)
}

func newSourceOn(t *testing.T, srv *redistest.Server, tail bool) *source {
	c := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}, RESP2: true})
	t.Cleanup(c.Close)
	key := "list-" + redistest.QueueName(t)
	return &source{SourceList: c.SourceList(key, tail), t: t, srv: srv, key: key, tail: tail}
}

// push adds items behind all others, as the old system did; before puts them in
// front of all others.
func (s *source) push(items ...string)   { s.t.Helper(); s.add(!s.tail, items) }
func (s *source) before(items ...string) { s.t.Helper(); s.add(s.tail, items) }

func (s *source) add(right bool, items []string) {
	s.t.Helper()
	verb := "LPUSH"
	if right {
		verb = "RPUSH"
	}
	for _, item := range items {
		s.srv.CLI(verb, s.key, item)
	}
}

// pop takes items as the old processor did.
func (s *source) pop(n int) {
	s.t.Helper()
	for range n {
		s.srv.CLI(map[bool]string{true: "RPOP", false: "LPOP"}[s.tail], s.key)
	}
}

// all is the list, the oldest first.
func (s *source) all() []string {
	s.t.Helper()
	reply, err := s.srv.Do("LRANGE", s.key, "0", "-1")
	if err != nil {
		s.t.Fatal(err)
	}
	items := []string{}
	for _, e := range reply.([]any) {
		items = append(items, e.(string))
	}
	if s.tail {
		slices.Reverse(items)
	}
	return items
}

func (s *source) read(n int) streamutil.SourceItems {
	s.t.Helper()
	got, err := s.Read(s.t.Context(), 0, n, 1<<20)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// removes expects which of the items were gone, and what is left.
func (s *source) removes(read streamutil.SourceItems, taken []int, left ...string) {
	s.t.Helper()
	got, err := s.Remove(s.t.Context(), read)
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(taken, got); diff != "" {
		s.t.Errorf("taken by others (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(append([]string{}, left...), s.all()); diff != "" {
		s.t.Errorf("left (-want +got)\n%s", diff)
	}
}

// bothEnds runs a test for a list that was popped at its head, and one at its tail.
func bothEnds(t *testing.T, test func(t *testing.T, s *source)) {
	for name, tail := range map[string]bool{"head": false, "tail": true} {
		t.Run(name, func(t *testing.T) { test(t, newSource(t, tail)) })
	}
}

func numbers(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint("item ", i))
	}
	return all
}

func TestSourceListGivesTheOldestFirst(t *testing.T) {
	bothEnds(t, func(t *testing.T, s *source) {
		s.push(numbers(0, 40)...)
		for _, tt := range []struct {
			skip        int64
			most, bytes int
			from, to    int
		}{
			{0, 1, 1000, 0, 1},
			{0, 15, 1000, 0, 15},
			{0, 100, 1000, 0, 40},
			{38, 100, 1000, 38, 40},
			{40, 100, 1000, 0, 0},
			{0, 100, 6, 0, 1},
			{0, 100, 5, 0, 1}, // one comes whatever its size
			{0, 100, 30, 0, 5},
			{0, 100, 29, 0, 4},
			{7, 4, 1000, 7, 11},
		} {
			got, err := s.Read(t.Context(), tt.skip, tt.most, tt.bytes)
			if err != nil || got.Length != 40 || got.Removed != 0 {
				t.Fatalf("%+v: %+v, %v", tt, got, err)
			}
			if diff := cmp.Diff(append([]string{}, numbers(tt.from, tt.to)...), got.Items); diff != "" {
				t.Errorf("%+v (-want +got)\n%s", tt, diff)
			}
		}
	})
}

func TestSourceListRemovesWhatWasRead(t *testing.T) {
	bothEnds(t, func(t *testing.T, s *source) {
		binary := "\x00\xff\r\n$3"
		s.push("a", binary, "c")
		first := s.read(2)
		s.push("d", "e")
		s.removes(first, nil, "c", "d", "e")
		s.removes(first, nil, "c", "d", "e") // its answer was lost
		rest := s.read(10)
		if rest.Removed != 2 || rest.Length != 3 {
			t.Errorf("got %+v", rest)
		}
		s.removes(rest, nil)
		s.removes(rest, nil)
		if _, err := s.Remove(t.Context(), first); !errors.Is(err, streamutil.ErrCounted) {
			t.Errorf("an import that was overtaken: %v", err)
		}
		if _, err := s.Read(t.Context(), 0, 1, 1); !errors.Is(err, streamutil.ErrNoList) {
			t.Errorf("an empty list: %v", err)
		}
		s.push("f")
		if got := s.read(1); got.Removed != 5 || got.Items[0] != "f" {
			t.Errorf("after the end: %+v", got)
		}
	})
}

// Whatever others did, what was read is dealt with: it goes, and all else stays.
func TestSourceListNoticesOthers(t *testing.T) {
	bothEnds(t, func(t *testing.T, s *source) {
		tests := []struct {
			name  string
			items string // a letter each
			read  int
			do    func()
			taken []int
			left  string
		}{
			{"pop", "abcdef", 3, func() { s.pop(1) }, []int{0}, "def"},
			{"pop all that was read", "abcdef", 3, func() { s.pop(3) }, []int{0, 1, 2}, "def"},
			{"pop more", "abcdef", 3, func() { s.pop(5) }, []int{0, 1, 2}, "f"},
			{"pop the whole list", "abc", 2, func() { s.pop(3) }, []int{0, 1}, ""},
			{"put back in front", "abcd", 3, func() { s.before("x", "y") }, nil, "yxd"},
			{"pop and put another back", "abcd", 3, func() { s.pop(1); s.before("x") }, []int{0}, "xd"},
			{"from the middle", "abcd", 3, func() { s.srv.CLI("LREM", s.key, "1", "b") }, []int{1}, "d"},
			{"equal ones", "aaaaab", 3, func() { s.pop(1) }, nil, "ab"},
			{"equal ones to the end", "aaa", 3, func() { s.pop(1) }, []int{2}, ""},
			{"turned round", "abc", 2, func() { s.pop(2); s.before("a", "b") }, nil, "c"},
		}
		removed := int64(0)
		for _, tt := range tests {
			s.srv.CLI("DEL", s.key)
			s.push(strings.Split(tt.items, "")...)
			read := s.read(tt.read)
			if read.Removed != removed {
				t.Errorf("%s: %d removed before, want %d", tt.name, read.Removed, removed)
			}
			tt.do()
			taken, err := s.Remove(t.Context(), read)
			if err != nil || !slices.Equal(taken, tt.taken) || strings.Join(s.all(), "") != tt.left {
				t.Errorf("%s: taken %v, left %q (%v); want %v and %q", tt.name, taken, s.all(), err, tt.taken, tt.left)
			}
			removed += int64(tt.read)
		}
	})
}

func TestSourceListOfLargeItems(t *testing.T) {
	bothEnds(t, func(t *testing.T, s *source) {
		large := func(c string) string { return strings.Repeat(c, 1<<20) }
		s.push("small", large("a"), large("b"), "last")
		var sizes []int
		for range 4 {
			got := s.read(100)
			for _, item := range got.Items {
				sizes = append(sizes, len(item))
			}
			sizes = append(sizes, 0)
			if _, err := s.Remove(t.Context(), got); err != nil {
				t.Fatal(err)
			}
			if got.Length == int64(len(got.Items)) {
				break
			}
		}
		if diff := cmp.Diff([]int{5, 0, 1 << 20, 0, 1 << 20, 0, 4, 0}, sizes); diff != "" {
			t.Errorf("sizes, 0 between calls (-want +got)\n%s", diff)
		}
	})
}

func TestSourceListIsNone(t *testing.T) {
	s := newSource(t, false)
	s.srv.CLI("SET", s.key, "x")
	if _, err := s.Read(t.Context(), 0, 1, 1); !errors.Is(err, streamutil.ErrNotList) || !strings.Contains(err.Error(), "string") {
		t.Errorf("a string: %v", err)
	}
	s.srv.CLI("DEL", s.key)
	s.push("a")
	read := s.read(1)
	s.srv.CLI("SET", s.CountKey(), "many")
	if _, err := s.Remove(t.Context(), read); err == nil || s.all()[0] != "a" {
		t.Errorf("a count that is none: %v, left %v", err, s.all())
	}
}

// At full memory the list is taken from all the same: that makes room.
func TestSourceListAtFullMemory(t *testing.T) {
	s := newSourceOn(t, redistest.Start(t), false)
	s.push("a", "b", "c")
	s.read(1) // the script is there
	s.srv.CLI("CONFIG", "SET", "maxmemory", "1")
	read := s.read(2)
	s.removes(read, nil, "c")
	s.srv.CLI("LPOP", s.key)
}

func TestSourceListInACluster(t *testing.T) {
	for key, want := range map[string]string{
		"order_queue": "{order_queue}:orderq-imported", "a{b}c": "a{b}c:orderq-imported", "a{}c": "{a{}c}:orderq-imported", "a{b": "{a{b}:orderq-imported",
	} {
		c := streamutil.NewClient(streamutil.ClientConfig{})
		defer c.Close()
		if got := c.SourceList(key, false).CountKey(); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	cluster := redistest.StartCluster(t, 3)
	c := streamutil.NewClient(streamutil.ClientConfig{Addresses: cluster.Addrs()})
	defer c.Close()
	for _, key := range []string{"order_queue", "shop{7}list", "x"} {
		s := c.SourceList(key, true)
		if _, err := s.Remove(t.Context(), streamutil.SourceItems{Items: []string{"a"}}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if got, err := s.Read(t.Context(), 0, 1, 1); !errors.Is(err, streamutil.ErrNoList) || got.Removed != 1 {
			t.Errorf("%s: %+v, %v", key, got, err)
		}
	}
}
