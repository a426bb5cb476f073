package ops

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"

	"orderq/streamutil"
)

// seenMost bounds the ids that a dry run remembers: about 100 MB of them.
const seenMost = 1_000_000

// listForecast is what import-list --dry-run -o json shows; scripts rely on its keys.
type listForecast struct {
	DryRun bool   `json:"dry_run"`
	Key    string `json:"key"`
	From   string `json:"from"`
	Items  int    `json:"items"`
	// Orders would be put into the queue; MadeIDs of them with an id that is made.
	Orders  int `json:"orders"`
	MadeIDs int `json:"made_ids"`
	// Undecodable are no JSON objects; WithoutID are, and have no id that can be used.
	Undecodable int `json:"undecodable"`
	WithoutID   int `json:"without_id"`
	// Duplicates come again in the list, and Conflicts with another body. Of the list's
	// ids as many are compared as there is memory for: all of them if Exact.
	Duplicates int  `json:"duplicates"`
	Conflicts  int  `json:"conflicts"`
	Exact      bool `json:"exact"`
	// Known are in the queue already, KnownConflicts there with another body, or cancelled.
	Known          int     `json:"known"`
	KnownConflicts int     `json:"known_conflicts"`
	DeadLetters    int     `json:"dead_letters"`
	FirstID        *string `json:"first_id"`
	LastID         *string `json:"last_id"`
}

// sighted remembers the ids of a list, and which bodies they came with.
type sighted struct {
	most int
	ids  map[[16]byte][8]byte
	full bool
}

// before reports whether an id has come before, and whether with another body.
func (s *sighted) before(id string, body []byte) (again, another bool) {
	key, sum := sha256.Sum256([]byte(id)), sha256.Sum256(body)
	was, ok := s.ids[[16]byte(key[:])]
	if ok {
		return true, was != [8]byte(sum[:])
	}
	if len(s.ids) >= s.most {
		s.full = true
		return false, false
	}
	s.ids[[16]byte(key[:])] = [8]byte(sum[:])
	return false, false
}

func (im *importing) forecast() listForecast {
	return listForecast{DryRun: true, Key: im.key, From: im.source.Redis(), Exact: true}
}

// foretell reads the whole list and tells what would become of it.
func (im *importing) foretell(ctx context.Context) error {
	f := im.forecast()
	seen := &sighted{most: seenMost, ids: map[[16]byte][8]byte{}}
	for skip := int64(0); ; {
		if ctx.Err() != nil {
			return &exit{code: exitFailed, text: errInterrupted.Error()}
		}
		var got streamutil.SourceItems
		err := once(func(ctx context.Context) (err error) {
			got, err = im.source.Read(ctx, skip, listBatch, listBytes)
			return err
		})
		if errors.Is(err, streamutil.ErrNoList) || (err == nil && len(got.Items) == 0) {
			break
		}
		if err != nil {
			return im.sourceFault(ctx, err)
		}
		if err := im.foretellBatch(ctx, &f, seen, im.read(got, skip)); err != nil {
			return err
		}
		skip += int64(len(got.Items))
		im.progress.show("%d of %d read", skip, got.Length)
	}
	im.progress.end()
	f.Exact = !seen.full
	if seen.full {
		im.say("of the list's ids the first %d are compared with all others: there may be more duplicates", seenMost)
	}
	return im.show(f, f.lines())
}

func (im *importing) foretellBatch(ctx context.Context, f *listForecast, seen *sighted, items []*listItem) error {
	var orders []streamutil.NewOrder
	var sent []*listItem
	for _, i := range items {
		f.Items++
		if i.id == "" {
			f.refuse(i)
			continue
		}
		if f.FirstID == nil {
			f.FirstID = &i.id
		}
		f.LastID = &i.id
		if again, another := seen.before(i.id, i.body); another {
			f.Conflicts++
			f.DeadLetters++
		} else if again {
			f.Duplicates++
		} else {
			orders, sent = append(orders, streamutil.NewOrder{ID: i.id, Body: i.body}), append(sent, i)
		}
	}
	known, err := call(ctx, im.queue, func(ctx context.Context, q *streamutil.Queue) ([]streamutil.Known, error) {
		return q.Known(ctx, orders)
	})
	for n, k := range known {
		f.accept(sent[n], k)
	}
	return err
}

func (f *listForecast) refuse(i *listItem) {
	f.DeadLetters++
	if i.object {
		f.WithoutID++
	} else {
		f.Undecodable++
	}
}

func (f *listForecast) accept(i *listItem, k streamutil.Known) {
	switch {
	case k.State == "":
		f.Orders++
		if i.made {
			f.MadeIDs++
		}
	case k.Conflict, k.State == streamutil.Cancelled:
		f.KnownConflicts++
		f.DeadLetters++
	default:
		f.Known++
	}
}

func (f *listForecast) lines() [][]string {
	within := strconv.Itoa(f.Duplicates)
	if !f.Exact {
		within = "at least " + within
	}
	return [][]string{
		{"items", strconv.Itoa(f.Items)},
		{"orders", strconv.Itoa(f.Orders)},
		{"made ids", strconv.Itoa(f.MadeIDs)},
		{"duplicates", within},
		{"in the queue", strconv.Itoa(f.Known)},
		{"dead letters", strconv.Itoa(f.DeadLetters)},
		{"  no JSON object", strconv.Itoa(f.Undecodable)},
		{"  no id", strconv.Itoa(f.WithoutID)},
		{"  another body", strconv.Itoa(f.Conflicts + f.KnownConflicts)},
		{"first id", orNone(text(f.FirstID))},
		{"last id", orNone(text(f.LastID))},
	}
}

// ends looks at both ends of the list: the oldest item, and the newest.
func (im *importing) ends(ctx context.Context) (oldest, newest streamutil.SourceItems, err error) {
	err = once(func(ctx context.Context) error {
		if oldest, err = im.source.Read(ctx, 0, 1, listBytes); err != nil {
			return err
		}
		newest, err = im.source.Read(ctx, oldest.Length-1, 1, listBytes)
		return err
	})
	if ctx.Err() != nil {
		err = errInterrupted
	}
	return oldest, newest, err
}

// named calls an item by its order's id.
func (im *importing) named(got streamutil.SourceItems) string {
	if len(got.Items) == 0 {
		return "gone"
	}
	i := im.item([]byte(got.Items[0]), 0)
	switch {
	case i.made:
		return "an order without an id"
	case i.id == "":
		return "no order (" + i.why + ")"
	}
	return i.id
}
