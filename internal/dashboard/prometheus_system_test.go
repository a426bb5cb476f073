//go:build prometheus && linux

package dashboard_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// perSecond is the pace of the system: quick enough for a short test, slow enough
// for the scrapes to see it.
const perSecond = 5

// system is two producers and two consumers, a Redis and a partner.
type system struct {
	t         *testing.T
	redis     *redistest.Server
	partner   *partner.Partner
	failing   atomic.Int64 // the status that the partner answers instead of 200
	held      atomic.Bool  // consumer 1 has a call that the partner does not answer
	queue     *streamutil.Queue
	dir       string
	binary    string
	consumers [2]*process
	posts     [2]string // where the producers listen
	producing [2]string // admin addresses
	consuming [2]string
	next      int // number of the next order
	offered   int
}

func newSystem(t *testing.T) *system {
	t.Helper()
	s := &system{t: t, redis: redistest.Start(t), dir: t.TempDir(), binary: build(t)}
	s.partner = partner.New(partner.Options{Respond: s.respond})
	api := httptest.NewServer(s.partner)
	t.Cleanup(api.Close)
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{s.redis.Addr()}})
	t.Cleanup(client.Close)
	var err error
	if s.queue, err = streamutil.NewQueue(client, streamutil.QueueConfig{Name: "orders"}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		s.posts[i], s.producing[i], s.consuming[i] = redistest.FreeAddress(t), redistest.FreeAddress(t), redistest.FreeAddress(t)
		s.process("producer", i, api.URL).start()
		s.consumers[i] = s.process("consumer", i, api.URL)
		s.consumers[i].start()
	}
	redistest.Eventually(t, "both producers are ready and both consumers live", func() bool {
		for _, address := range s.posts {
			resp, err := http.Get("http://" + address + "/readyz")
			if err != nil || resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
				return false
			}
		}
		return s.inspect().Alive() == 2
	})
	return s
}

// process makes one of the system's processes.
func (s *system) process(command string, number int, api string) *process {
	s.t.Helper()
	name := command + strconv.Itoa(number)
	config := fmt.Sprintf(`
redis: {addresses: [%s]}
queue: {name: orders, max_in_flight: 10}
producer: {listen: %q, admin: %q}
consumer:
  admin: %q
  pace: %d/s
  lease: 3s
  max_hold: 3s
  api: {url: %q, timeout: 1500ms, headers: {X-Consumer: "%d"}}
log: {level: debug, format: json}
`, s.redis.Addr(), s.posts[number], s.producing[number], s.consuming[number], perSecond, api, number)
	file := filepath.Join(s.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return &process{
		t: s.t, name: name, binary: s.binary, args: []string{command, "--config", file},
		log: filepath.Join(s.dir, name+".log"),
	}
}

// respond is the partner: it refuses orders that are called so, never answers
// consumer 1's "hang", and fails as it is told.
func (s *system) respond(c partner.Call) partner.Response {
	status := int(s.failing.Load())
	switch {
	case strings.HasPrefix(c.OrderID, "refused"):
		return partner.Response{Status: http.StatusUnprocessableEntity, Body: `{"error":"no such article"}`}
	case strings.HasPrefix(c.OrderID, "hang") && c.Header.Get("X-Consumer") == "1":
		s.held.Store(true)
		return partner.Response{Hang: true}
	case status == http.StatusTooManyRequests:
		return partner.Response{Status: status, Header: http.Header{"Retry-After": {"2"}}}
	case status != 0:
		return partner.Response{Status: status}
	}
	return partner.Response{Delay: 20 * time.Millisecond}
}

func (s *system) inspect() streamutil.Snapshot {
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
	defer cancel()
	snap, _ := s.queue.Inspect(ctx)
	return snap
}

// post sends a body to one of the producers and gives the status of the answer; 0
// if there was none.
func (s *system) post(path, body string) int {
	s.t.Helper()
	resp, err := http.Post("http://"+s.posts[s.next%2]+path, "application/json", bytes.NewBufferString(body))
	s.next++
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// order submits one order and wants a certain answer; 0 wants any.
func (s *system) order(id string, want int) {
	s.t.Helper()
	s.offered++
	if got := s.post("/v1/orders", `{"order_id":"`+id+`","amount":"1.50","currency":"EUR"}`); want != 0 && got != want {
		s.t.Fatalf("order %s: status %d, want %d", id, got, want)
	}
}

// shop submits for some time what shops do: good orders slower than the pace, and
// now and then a bad one, one again, one that the partner refuses, and a batch.
func (s *system) shop(d time.Duration) {
	s.t.Helper()
	tick := time.NewTicker(time.Second / 4)
	defer tick.Stop()
	end := time.After(d)
	for i := 0; ; i++ {
		select {
		case <-end:
			return
		case <-tick.C:
		}
		id := strconv.Itoa(s.next)
		switch i % 12 {
		case 3:
			s.offered++
			s.post("/v1/orders", `{"order_id":"bad-`+id+`","amount":"minus one","currency":"EUR"}`)
		case 5:
			s.offered++
			s.post("/v1/orders", `{"order_id":`)
		case 7:
			s.order("refused-"+id, 0)
		case 9:
			s.order("twice", 0)
		case 11:
			s.offered += 3
			s.post("/v1/orders:batch", fmt.Sprintf(`[{"order_id":"b1-%s"},{"order_id":"b2-%s"},{"order_id":"b3-%s"}]`, id, id, id))
		default:
			s.order("o-"+id, 0)
		}
	}
}

// drained waits until nothing is left in the queue.
func (s *system) drained() {
	s.t.Helper()
	empty := func() bool {
		snap := s.inspect()
		return !snap.Time.IsZero() && snap.Length == 0 // no time: Redis did not answer
	}
	if !until(time.Minute, empty) {
		s.t.Fatalf("the queue is not empty: %+v", s.inspect())
	}
}

// until polls a condition for a while.
func until(within time.Duration, cond func() bool) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(within); ; {
		if cond() {
			return true
		}
		select {
		case <-end:
			return false
		case <-tick.C:
		}
	}
}
