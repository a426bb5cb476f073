package streamutil

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What a list can be instead of one.
var (
	// ErrNoList: there is no such key, which is how Redis keeps an empty list.
	ErrNoList = errors.New("the list does not exist")
	// ErrNotList: the key is there, and is of another type.
	ErrNotList = errors.New("the key is no list")
	// ErrCounted: another import has removed items since these were read.
	ErrCounted = errors.New("another import from this list has gone on meanwhile")
)

// SourceList is a Redis list of an older system, out of which orders are taken
// from the end at which that system popped them. It may be pushed to at the other
// end meanwhile. Any Redis from 2.6 on will do; see [ClientConfig].RESP2.
type SourceList struct {
	client    *Client
	key, side string
	end       string
}

// SourceList names a list on this server. With tail the oldest item is at the tail
// (RPOP), else at the head (LPOP).
func (c *Client) SourceList(key string, tail bool) *SourceList {
	s := &SourceList{client: c, key: key, side: sideKey(key), end: "head"}
	if tail {
		s.end = "tail"
	}
	return s
}

// SourceList names a list on the queue's own server.
func (q *Queue) SourceList(key string, tail bool) *SourceList { return q.client.SourceList(key, tail) }

// sideKey is where the count of what was removed lies: in a cluster beside the list.
func sideKey(key string) string {
	const suffix = ":orderq-imported"
	if _, after, ok := strings.Cut(key, "{"); ok && strings.Index(after, "}") > 0 {
		return key + suffix
	}
	return "{" + key + "}" + suffix
}

// CountKey is the key, on the list's server, of how many items were removed.
func (s *SourceList) CountKey() string { return s.side }

// Redis says where the list is, for people.
func (s *SourceList) Redis() string { return s.client.Addr() }

// Name tells this list from every other, as long as its server is called alike.
func (s *SourceList) Name() string {
	return strings.ReplaceAll(s.client.Addr(), "redis localhost:", "redis 127.0.0.1:") + " " + s.key
}

// SourceItems is a part of a list.
type SourceItems struct {
	// Length is that of the whole list.
	Length int64
	// Removed is how many items were ever removed by [SourceList.Remove]. So the
	// number Removed + i is that of item i of the list alone, and stays its number
	// when those before it are gone.
	Removed int64
	// Items are in the order in which they were to be popped.
	Items []string
}

// Read gives the items behind the first skip, at most so many and so many bytes, but
// one if there is one. It changes nothing.
//
// Errors: [ErrNoList], [ErrNotList], [ErrUnavailable].
func (s *SourceList) Read(ctx context.Context, skip int64, most, bytes int) (SourceItems, error) {
	r, err := s.run(ctx, sourceReadScript, itoa(skip), strconv.Itoa(most), strconv.Itoa(bytes))
	if err != nil {
		return SourceItems{}, err
	}
	kind := r.text()
	got := SourceItems{Length: r.int(), Removed: count(r.text())}
	got.Items = r.nested().texts()
	if err := r.done(); err != nil {
		return SourceItems{}, err
	}
	switch kind {
	case "list":
		return got, nil
	case "none":
		return got, ErrNoList
	}
	return got, fmt.Errorf("%w: it is a %s", ErrNotList, kind)
}

// Remove takes out the items that Read gave, if they are all dealt with, in one
// step: if they still are what the list ends with. Else it takes out those of them that
// are there, near the end, and tells which ones are not (by their index): somebody else
// took them. Safe to repeat.
//
// Errors: [ErrCounted], [ErrUnavailable].
func (s *SourceList) Remove(ctx context.Context, read SourceItems) (taken []int, err error) {
	r, err := s.run(ctx, sourceRemoveScript, append([]string{itoa(read.Removed)}, read.Items...)...)
	if err != nil {
		return nil, err
	}
	switch status := r.text(); status {
	case "removed", "again":
	case "count":
		return nil, fmt.Errorf("%w: %s removed, not %d", ErrCounted, r.text(), read.Removed)
	case "others":
		missing := r.nested()
		for len(missing.values) > 0 {
			taken = append(taken, int(missing.int())-1)
		}
		return taken, r.done(missing)
	default:
		return nil, fmt.Errorf("%s: unknown status %q", r.script, status)
	}
	return nil, r.done()
}

// texts reads all of an array.
func (r *reply) texts() []string {
	all := make([]string, 0, len(r.values))
	for len(r.values) > 0 && r.err == nil {
		all = append(all, r.text())
	}
	return all
}
