package producer_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// Whatever comes in, nothing breaks: no 5xx, no panic, no trace of what was
// refused, and every byte of what was accepted.
func TestHostileBodies(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	redis := redistest.Shared(t)
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{Logger: zap.New(core), MaxBatches: 2 * gunners})
	b := &battery{s: s}
	shots := armed()
	b.fireAll(shots)
	b.mustBeConsistent(redis)
	t.Logf("%d bodies, %d orders accepted", len(shots), len(b.kept))
	for _, line := range logs.All() {
		t.Errorf("logged: %s %v", line.Message, line.ContextMap())
	}
	if got := s.mustPost(`{"order_id":"good"}`); got["duplicate"] != false {
		t.Errorf("a good order afterwards: %v", got)
	}
}

// gunners is how many send at once.
const gunners = 8

// battery sends shots and keeps what was accepted.
type battery struct {
	s    *shop
	mu   sync.Mutex
	kept map[string]submitted // by entry
}

// submitted is an order that was accepted.
type submitted struct{ id, body string }

func (b *battery) fireAll(shots []shot) {
	b.kept = map[string]submitted{}
	queue := make(chan shot)
	var wg sync.WaitGroup
	for range gunners {
		wg.Go(func() {
			for shot := range queue {
				b.fire(shot)
			}
		})
	}
	for _, shot := range shots {
		queue <- shot
	}
	close(queue)
	wg.Wait()
}

func (b *battery) fire(x shot) {
	t := b.s.t
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.s.url+x.path, strings.NewReader(x.body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Content-Type", x.media)
	resp, err := b.s.client.Do(req)
	if err != nil {
		if x.want != http.StatusRequestEntityTooLarge { // whose sender may be cut off
			t.Errorf("%.200q: %v", x.body, err)
		}
		return
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode >= 500 || x.want != 0 && resp.StatusCode != x.want {
		t.Errorf("%s %.50s %.300q: got %d, want %d (%v): %.300s", x.path, x.media, x.body, resp.StatusCode, x.want, err, answer)
		return
	}
	b.note(x, resp.StatusCode, answer)
}

// verdict is what both kinds of submission say of an accepted order.
type verdict struct {
	OrderID string `json:"order_id"`
	EntryID string `json:"entry_id"`
	Status  int
}

// note keeps the orders that the answer says were accepted.
func (b *battery) note(x shot, status int, answer []byte) {
	var got struct {
		verdict
		Results []verdict
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		b.s.t.Errorf("%.300q: %d %.300s: %v", x.body, status, answer, err)
	}
	switch status {
	case http.StatusAccepted:
		b.keep(got.verdict, x.body)
	case http.StatusOK:
		orders := x.orders()
		if len(orders) != len(got.Results) {
			b.s.t.Errorf("%.300q: %d results for %d orders", x.body, len(got.Results), len(orders))
			return
		}
		for i, v := range got.Results {
			switch {
			case v.Status >= 500:
				b.s.t.Errorf("%.300q: got %d", orders[i], v.Status)
			case v.Status == http.StatusAccepted:
				b.keep(v, orders[i])
			}
		}
	}
}

// keep: of several that were accepted as the same order, each has its bytes.
func (b *battery) keep(v verdict, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := submitted{v.OrderID, body}
	if before, ok := b.kept[v.EntryID]; ok && before != now {
		b.s.t.Errorf("%s is both %.300q and %.300q", v.EntryID, before, now)
	}
	b.kept[v.EntryID] = now
}

// orders are those of a batch, read in another way than the producer's.
func (x shot) orders() (list []string) {
	if x.media == array {
		var raw []json.RawMessage
		_ = json.Unmarshal([]byte(x.body), &raw)
		for _, order := range raw {
			list = append(list, string(order))
		}
		return list
	}
	for line := range strings.SplitSeq(x.body, "\n") {
		if line = strings.TrimSuffix(line, "\r"); strings.Trim(line, " \t\r") != "" {
			list = append(list, line)
		}
	}
	return list
}

// mustBeConsistent compares what is in Redis with what was accepted.
func (b *battery) mustBeConsistent(redis *redistest.Server) {
	t, prefix := b.s.t, "orderq:{"+b.s.queue.Name()+"}:"
	got, err := redis.Do("XRANGE", prefix+"stream", "-", "+")
	if err != nil {
		t.Fatal(err)
	}
	entries := got.([]any)
	for i, e := range entries {
		entry := e.([]any)[0].(string)
		fields := map[string]string{}
		pairs := e.([]any)[1].([]any)
		for j := 0; j < len(pairs); j += 2 {
			fields[pairs[j].(string)] = pairs[j+1].(string)
		}
		if is := (submitted{fields["id"], fields["body"]}); is != b.kept[entry] || is.id == "" {
			t.Errorf("%s holds %.300q, accepted was %.300q", entry, is, b.kept[entry])
		}
		if fields["seq"] != strconv.Itoa(i+1) {
			t.Errorf("%s has the number %s, want %d", entry, fields["seq"], i+1)
		}
		if rec, err := b.s.queue.Lookup(t.Context(), fields["id"]); err != nil || rec.Entry.String() != entry {
			t.Errorf("the record of %s names %v (%v), want %s", fields["id"], rec.Entry, err, entry)
		}
	}
	records, err := redis.Do("KEYS", prefix+"order:*")
	if err != nil {
		t.Fatal(err)
	}
	counts := fmt.Sprint(len(entries), len(records.([]any)))
	if want := fmt.Sprint(len(b.kept), len(b.kept)); counts != want || len(b.kept) == 0 {
		t.Errorf("entries and records are %s, accepted were %d", counts, len(b.kept))
	}
}
