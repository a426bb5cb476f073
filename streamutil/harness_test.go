package streamutil_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }

// sequences sets how many sequences a property test runs, and how long they are
// on average. The flags of rapid win: -rapid.checks, -rapid.steps, -rapid.seed.
func sequences(t *testing.T) {
	t.Helper()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{
		"rapid.checks":     cmp.Or(os.Getenv("ORDERQ_TEST_SEQUENCES"), "150"),
		"rapid.steps":      "60",
		"rapid.nofailfile": "true", // the seed it prints is enough to run it again
	} {
		if given[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

// harness is one queue on a real Redis, with a second way in: raw looks at what
// the scripts wrote, and tampers with it as a person might.
type harness struct {
	t   reporter
	srv *redistest.Server
	raw rueidis.Client
	q   *streamutil.Queue

	name    string
	slot    streamutil.Slot               // the last one that any reply told
	entries map[string]streamutil.EntryID // by the order that was submitted
	aliases map[string]string             // raw ids -> how a test calls them
	again   map[string]int                // how many entries an order has had
	k       int64                         // the last take of attempt
	epochs  int
}

// reporter is what a *testing.T and a *rapid.T have in common.
type reporter interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// newHarness gives a queue of its own on the server that all tests share.
func newHarness(t testing.TB) *harness {
	return harnessOn(t, redistest.Shared(t), streamutil.ClientConfig{}, streamutil.QueueConfig{})
}

func harnessOn(t testing.TB, srv *redistest.Server, cc streamutil.ClientConfig, qc streamutil.QueueConfig) *harness {
	t.Helper()
	if cc.Addresses == nil {
		cc.Addresses = []string{srv.Addr()}
	}
	client := streamutil.NewClient(cc)
	t.Cleanup(client.Close)
	qc.Name = redistest.QueueName(t)
	q, err := streamutil.NewQueue(client, qc)
	if err != nil {
		t.Fatal(err)
	}
	return &harness{
		t: t, srv: srv, raw: dialRaw(t, srv.Addr()), q: q, name: qc.Name,
		entries: map[string]streamutil.EntryID{}, aliases: map[string]string{}, again: map[string]int{},
	}
}

func dialRaw(t testing.TB, addr string) rueidis.Client {
	t.Helper()
	raw, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{addr}, DisableCache: true, ForceSingleClient: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(raw.Close)
	return raw
}

// alone gives the test a server of its own, for it harms it.
func (h *harness) alone() {
	h.t.Helper()
	t, ok := h.t.(testing.TB)
	if !ok {
		h.t.Fatal("only a test has servers")
	}
	*h = *harnessOn(t, redistest.Start(t), streamutil.ClientConfig{}, streamutil.QueueConfig{})
}

// key names one of the queue's keys: key("stream"), key("order:A").
func (h *harness) key(name string) string { return "orderq:{" + h.name + "}:" + name }

// redis sends a command past the queue, as a person at redis-cli would. %NAME
// stands for the queue's key of that name.
func (h *harness) redis(words ...string) string {
	h.t.Helper()
	args := make([]string, len(words))
	for i, w := range words {
		args[i] = w
		if name, ok := strings.CutPrefix(w, "%"); ok {
			args[i] = h.key(name)
		}
	}
	msg, err := h.raw.Do(h.t.Context(), h.raw.B().Arbitrary(args[0]).Args(args[1:]...).Build()).ToAny()
	if err != nil && !rueidis.IsRedisNil(err) {
		h.t.Fatalf("%v: %v", args, err)
	}
	text, _ := msg.(string)
	return text
}

// alias makes the tests' own name for an id that Redis or the queue chose.
func (h *harness) alias(id string) string {
	if a, ok := h.aliases[id]; ok {
		return a
	}
	return id
}

// epoch makes "epoch 1", "epoch 2" of the nonces, in the order they are seen.
func (h *harness) epoch(nonce string) string {
	if nonce == "" {
		return "none"
	}
	if _, ok := h.aliases[nonce]; !ok {
		h.epochs++
		h.aliases[nonce] = fmt.Sprintf("epoch %d", h.epochs)
	}
	return h.alias(nonce)
}

// addByHand puts an entry into the stream past enqueue; name is how the test
// calls it from then on.
func (h *harness) addByHand(name string, fields ...string) {
	h.t.Helper()
	id := h.redis(append([]string{"XADD", "%stream", "*"}, fields...)...)
	h.know(name, id)
}

// knowOrder names an order's entry: A, and should it get another one A~2.
func (h *harness) knowOrder(order, id string) {
	h.t.Helper()
	h.again[order]++
	h.know(entryName(order, h.again[order]), id)
}

func entryName(order string, nth int) string {
	if nth == 1 {
		return order
	}
	return fmt.Sprintf("%s~%d", order, nth)
}

func (h *harness) know(name, id string) {
	h.t.Helper()
	entry, err := streamutil.ParseEntryID(id)
	if err != nil {
		h.t.Fatal(err)
	}
	h.entries[name], h.aliases[id] = entry, name
}

// anHourPasses for everything that is parked or held: tests do not wait.
func (h *harness) anHourPasses() {
	h.t.Helper()
	h.redis("EVAL", `for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
		redis.call('ZINCRBY', KEYS[1], ARGV[1], id) end
		for _, f in ipairs({ 'hold_until', 'pause_until', 'breaker_until', 'pace_until' }) do
			if redis.call('HEXISTS', KEYS[2], f) == 1 then redis.call('HINCRBY', KEYS[2], f, ARGV[1]) end
		end
		for _, key in ipairs(redis.call('KEYS', ARGV[2])) do
			if redis.call('HEXISTS', key, 'not_before') == 1 then redis.call('HINCRBY', key, 'not_before', ARGV[1]) end
		end`,
		"2", "%due", "%control", "-"+milliseconds(time.Hour), h.key("order:*"))
}

// anHourInstead makes an hour of every wait that has begun and is shorter: no
// test may depend on how fast it runs.
func (h *harness) anHourInstead() {
	h.t.Helper()
	h.redis("EVAL", `local t, kept = redis.call('TIME'), redis.call('HMGET', KEYS[3], 'clock_last', 'clock_offset')
		local now = math.max(t[1] * 1000 + math.floor(t[2] / 1000) + (kept[2] or 0), tonumber(kept[1] or 0))
		local hour = string.format('%.0f', now + ARGV[1])
		local short = function(v) v = tonumber(v or 0) return v > now and v < now + 600000 end
		local due = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
		for i = 1, #due, 2 do
			if short(due[i + 1]) then redis.call('ZADD', KEYS[1], hour, due[i]) end
		end
		for _, f in ipairs({ 'hold_until', 'breaker_until' }) do
			if short(redis.call('HGET', KEYS[2], f)) then redis.call('HSET', KEYS[2], f, hour) end
		end`, "3", "%due", "%control", "%pace", milliseconds(time.Hour))
}

// inQueueTime is a moment of queue time, as hashes keep it.
func (h *harness) inQueueTime(d time.Duration) string {
	h.t.Helper()
	return h.redis("EVAL", `local t = redis.call('TIME')
		return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[1])`, "0", milliseconds(d))
}

// queueWith is the same queue with other bounds.
func (h *harness) queueWith(cfg streamutil.QueueConfig) *streamutil.Queue {
	h.t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{h.srv.Addr()}})
	h.t.Cleanup(client.Close)
	cfg.Name = h.name
	q, err := streamutil.NewQueue(client, cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	return q
}

func (h *harness) snapshot() streamutil.Snapshot {
	h.t.Helper()
	s, err := h.q.Inspect(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// groupConsumers are the names that Redis keeps for the group.
func (h *harness) groupConsumers() []string {
	h.t.Helper()
	all, err := h.raw.Do(h.t.Context(), h.raw.B().XinfoConsumers().Key(h.key("stream")).Group(groupName).Build()).ToArray()
	if err != nil {
		h.t.Fatal(err)
	}
	var names []string
	for _, c := range all {
		fields, _ := c.AsStrMap()
		names = append(names, fields["name"])
	}
	return names
}
