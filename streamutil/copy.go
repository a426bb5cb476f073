package streamutil

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Copy is all that has to be known of an order to put it elsewhere, or back.
type Copy struct {
	// OrderID is the order's id. With a Mark it is whatever stood there.
	OrderID string
	State   State
	// Body is the document; nil of a delivered or cancelled order, whose BodyHash
	// is all that is left.
	Body     []byte
	BodyHash string
	// TraceParent is the submitting request's W3C traceparent, or empty.
	TraceParent string
	// Accepted is when it was taken in, Finished when it came to its end; zero if
	// not known.
	Accepted, Finished time.Time
	// Attempts counts the calls handed out for it; the rest is of the last one.
	Attempts int
	Outcome  Outcome
	Status   int
	Answer   string
	// Reason is why a dead one died.
	Reason string
	// Entry is where it was in the stream.
	Entry EntryID
	// Left is how long a finished one is known yet; 0 is the queue's retention.
	Left time.Duration
	// Raw is, of what is no order, all that was in it, in JSON.
	Raw string
	// Mark tells what is no order, or not the order's own entry, from everything else,
	// so that it is put in once. It can only be dead.
	Mark string
	// Dropped says that a person has given up a dead one: it has no letter.
	Dropped bool
	// Undo puts it in again although a purge has cancelled it.
	Undo bool
}

// Name is what the queue knows it by: the order's id, or of what is no order its mark,
// which no order's id can be.
func (c Copy) Name() string {
	if c.Mark != "" {
		return "~" + c.Mark
	}
	return c.OrderID
}

// CopyUnfinished gives up to limit (at most [MaxPage]) entries after the given one,
// oldest first, from the first if that is zero. What is no order comes as a dead one.
//
// Errors: [ErrUnavailable].
func (q *Queue) CopyUnfinished(ctx context.Context, after EntryID, limit int) ([]Copy, error) {
	entries, err := q.Entries(ctx, after, pageSize(limit))
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	held, err := q.held(ctx, entries[0].Entry, entries[len(entries)-1].Entry)
	if err != nil {
		return nil, err
	}
	copies := make([]Copy, 0, len(entries))
	for _, e := range entries {
		copies = append(copies, e.copied(held[e.Entry]))
	}
	return copies, q.addTries(ctx, copies)
}

func (e StoredEntry) copied(state State) Copy {
	c := Copy{
		OrderID: e.OrderID, State: Waiting, Body: e.Body, TraceParent: e.Fields["trace"], Accepted: e.Entry.Time(), Entry: e.Entry,
	}
	if state != "" {
		c.State = state
	}
	if _, whole := e.Fields["body"]; !whole || !ValidOrderID(e.OrderID) {
		c.State, c.Reason, c.Raw = Dead, ReasonUndecodable, rawJSON(e.Fields)
		c.Mark = "entry:" + e.Entry.String() + ":" + bodyHash([]byte(c.Raw))
	}
	return c
}

// rawJSON gives fields as a JSON object whose text keeps every byte, also those
// that are no UTF-8; encoding/json would replace them.
func rawJSON(fields map[string]string) string {
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		b.WriteString([]string{"{", ","}[min(i, 1)])
		quoteJSON(&b, name)
		b.WriteByte(':')
		quoteJSON(&b, fields[name])
	}
	b.WriteByte('}')
	return b.String()
}

func quoteJSON(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}

// addTries adds what the records know of each.
func (q *Queue) addTries(ctx context.Context, copies []Copy) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return wrap("read records", err)
	}
	cmds := make(rueidis.Commands, 0, len(copies))
	for _, c := range copies {
		cmds = append(cmds, rdb.B().Hmget().Key(q.keys.order+c.OrderID).Field("entry", "accepted", "attempts", "sent").Build())
	}
	for i, r := range rdb.DoMulti(ctx, cmds...) {
		f, err := r.AsStrSlice()
		if _, junk := rueidis.IsRedisErr(err); err != nil && !junk {
			return wrap("read records", err)
		}
		c := &copies[i]
		if len(f) == 4 && f[0] == c.Entry.String() && c.Mark == "" {
			c.Accepted, c.Attempts = moment(f[1]), atoi(f[2])+atoi(f[3])
		}
	}
	return nil
}

// CopyDead gives up to limit dead letters after the given one, oldest first, from the
// first if that is zero, and the last one's id.
//
// Errors: [ErrUnavailable].
func (q *Queue) CopyDead(ctx context.Context, after EntryID, limit int) ([]Copy, EntryID, error) {
	letters, err := q.DeadLetters(ctx, after, pageSize(limit))
	if err != nil || len(letters) == 0 {
		return nil, after, err
	}
	owners, err := q.owners(ctx, letters)
	if err != nil {
		return nil, after, err
	}
	copies := make([]Copy, 0, len(letters))
	for i, l := range letters {
		c := Copy{
			OrderID: l.OrderID, State: Dead, Body: l.Body, TraceParent: l.Trace, Accepted: l.Entry.Time(), Finished: l.Time(),
			Attempts: l.Attempts, Status: l.Status, Answer: l.Answer, Reason: l.Reason, Entry: l.Entry, Raw: l.Raw,
		}
		if owners[i] != l.ID.String() {
			c.Mark = "letter:" + l.ID.String() + ":" + bodyHash(append([]byte(l.Raw), l.Body...))
		}
		copies = append(copies, c)
	}
	return copies, letters[len(letters)-1].ID, nil
}

// LettersGone is how many dead letters have left the stream of them since it began
// (XINFO STREAM): by it one knows whether any did between two looks.
//
// Errors: [ErrUnavailable].
func (q *Queue) LettersGone(ctx context.Context) (int64, error) {
	const doing = "count dead letters"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return 0, wrap(doing, err)
	}
	info, err := rdb.Do(ctx, rdb.B().XinfoStream().Key(q.keys.dead).Build()).AsMap()
	if noGroup(err) { // there is no such stream
		return 0, nil
	}
	if err != nil {
		return 0, wrap(doing, err)
	}
	added, there := info["entries-added"], info["length"]
	came, err := added.AsInt64()
	if err != nil {
		return 0, wrap(doing, err)
	}
	n, err := there.AsInt64()
	return came - n, wrap(doing, err)
}

// owners gives, for each letter, the letter that its order's record names.
func (q *Queue) owners(ctx context.Context, letters []DeadLetter) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return nil, wrap("read records", err)
	}
	cmds := make(rueidis.Commands, 0, len(letters))
	for _, l := range letters {
		cmds = append(cmds, rdb.B().Hget().Key(q.keys.order+l.OrderID).Field("letter").Build())
	}
	owners := make([]string, len(letters))
	for i, r := range rdb.DoMulti(ctx, cmds...) {
		owners[i], err = r.ToString()
		if _, junk := rueidis.IsRedisErr(err); err != nil && !isNil(err) && !junk {
			return nil, wrap("read records", err)
		}
	}
	return owners, nil
}

// recordsPage is how many keys CopyFinished looks at in one call.
const recordsPage = 100

// CopyFinished gives a part of the orders that are delivered or cancelled, or dead
// without a letter, in no order (SCAN), and the cursor to go on with: 0 begins, and
// 0 was all. One may come twice.
//
// Errors: [ErrUnavailable].
func (q *Queue) CopyFinished(ctx context.Context, cursor uint64) ([]Copy, uint64, error) {
	r, err := q.run(ctx, recordsScript, false, strconv.FormatUint(cursor, 10), itoa(recordsPage))
	if err != nil {
		return nil, 0, err
	}
	next, parseErr := strconv.ParseUint(r.text(), 10, 64)
	r.fail(parseErr)
	rows := r.list()
	copies := make([]Copy, 0, len(rows))
	for _, row := range rows {
		c := Copy{OrderID: row.text(), Left: max(row.millis(), 0)}
		f := row.strings()
		c.State, c.BodyHash, c.Outcome = State(f["state"]), f["hash"], Outcome(f["outcome"])
		c.Accepted, c.Finished, c.Status, c.Answer = moment(f["accepted"]), moment(f["finished"]), atoi(f["status"]), f["answer"]
		c.Attempts, c.Dropped = atoi(f["attempts"])+atoi(f["sent"]), c.State == Dead
		c.Entry, _ = ParseEntryID(f["entry"]) // zero if someone wrote over it
		copies = append(copies, c)
	}
	return copies, next, r.done(rows...)
}
