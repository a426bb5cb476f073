package streamutil_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// Bounds small enough that random sequences reach them.
const (
	machineBacklog  = 8
	machineInFlight = 3
)

// Slow ones and fast ones, which take in batches; 0 is unlimited.
var machinePaces = []time.Duration{time.Second, time.Second, 40 * time.Millisecond, 30 * time.Millisecond, 2 * time.Second, 0}

// machine runs the same calls on a real Redis and on the model, and plays the
// consumers that make them: what they believe, and what they are sending.
type machine struct {
	*harness
	rt    *rapid.T
	model *model

	processes []*process
	delayed   []call // sent, and still under way
	done      []string

	bodies map[string]string // what each order was submitted with
	byHand int
	// imported counts the copies of orders that were to be put in.
	imported int
	deleted  map[string]bool // entries that someone deleted
	loose    map[string]bool // entries that someone took from their consumer
	granted  map[string]bool // slots that a take was given
}

// process is one consumer as it sees itself.
type process struct {
	number, starts int
	pace           time.Duration
	name           string // "" before it registers
	beat, k        int64
	slot           streamutil.Slot // as it last read it
	held           []attempt       // handed out, and not seen settled
	calling        map[string]bool // orders it is sending now
	past           []attempt       // what it had under names it lost
}

// call is one script call as its sender composed it. It can run now, later,
// twice, or with nobody there to read the answer.
type call struct {
	text  string
	real  func() string
	spec  func() string
	learn func(answer string) // what the sender makes of the answer; may be nil
	// effect is what the call does to the world if it did its work, heard or not.
	effect func(answer string)
}

// TestPropertyScriptsAgreeWithTheModel drives random sequences of every script, with
// lost, late and repeated calls, crashes, restarts of Redis and hands in the
// stream, and compares answers and state after every step.
func TestPropertyScriptsAgreeWithTheModel(t *testing.T) {
	t.Parallel()
	sequences(t)
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "no")
	base := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{})
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{srv.Addr()}})
	t.Cleanup(client.Close)
	restart := func() {
		srv.Restart()
		redistest.Eventually(t, "Redis answers again", func() bool {
			return client.Ping(t.Context()) == nil && base.raw.Do(t.Context(), base.raw.B().Ping().Build()).Error() == nil
		})
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(rt, base, client, redistest.QueueName(t))
		defer m.redis("EVAL", "for _, k in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', k) end", "0", m.key("*"))
		actions := m.actions(restart)
		rt.Repeat(map[string]func(*rapid.T){"step": func(*rapid.T) { m.step(actions) }})
	})
}

func newMachine(rt *rapid.T, base *harness, client *streamutil.Client, name string) *machine {
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{
		Name: name, MaxBacklog: machineBacklog, MaxInFlight: machineInFlight,
	})
	if err != nil {
		rt.Fatal(err)
	}
	m := &machine{
		harness: &harness{
			t: rt, srv: base.srv, raw: base.raw, q: q, name: name,
			entries: map[string]streamutil.EntryID{}, aliases: map[string]string{}, again: map[string]int{},
		},
		rt: rt, model: newModel(machineBacklog, machineInFlight),
		bodies: map[string]string{}, deleted: map[string]bool{}, loose: map[string]bool{}, granted: map[string]bool{},
	}
	for i := range 3 {
		pace := one(m, machinePaces, "pace")
		m.processes = append(m.processes, &process{number: i, pace: pace, calling: map[string]bool{}})
	}
	return m
}

// send makes a call, with one of the fates that a call over a network has.
func (m *machine) send(c call) {
	switch one(m, []string{"", "", "", "", "", "", "", "", "lost", "late", "twice"}, "fate") {
	case "lost":
		m.run(c, false)
	case "late":
		m.delayed = append(m.delayed, c)
		m.done = append(m.done, "(later) "+c.text)
	case "twice":
		m.run(c, true)
		m.delayed = append(m.delayed, c)
	default:
		m.run(c, true)
	}
}

// run makes the call on both sides and compares the answers.
func (m *machine) run(c call, heard bool) {
	got, want := c.real(), c.spec()
	m.anHourInstead()
	m.done = append(m.done, c.text+" => "+got)
	if got != want {
		m.fail("another answer than the model's", "answered %q\nwant     %q", got, want)
	}
	if c.effect != nil {
		c.effect(got)
	}
	if heard && c.learn != nil {
		c.learn(got)
	}
}

// fail tells the story so far. What is the error must be the same for every such
// failure: by it rapid knows a shorter sequence that fails for the same reason.
func (m *machine) fail(what, details string, args ...any) {
	m.rt.Logf("%s:\n  %s\n"+details, append([]any{m.name, strings.Join(m.done, "\n  ")}, args...)...)
	m.rt.Fatal(what)
}

// check compares the whole state, and what must hold whatever happened.
func (m *machine) check() {
	got := m.facts()
	if d := cmp.Diff(m.model.facts(), got); d != "" {
		m.fail("another state than the model's", "state (-model +redis):\n%s", d)
	}
	for _, broken := range m.broken(got) {
		m.fail("an invariant is broken", "%s\n%v", broken, got)
	}
}

// broken names the invariants that the state breaks. They are read off Redis
// alone, so that a mistake in the model cannot hide one.
func (m *machine) broken(f facts) (broken []string) {
	complain := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	for order := range m.bodies {
		entry, state := f["record "+order+" entry"], f["record "+order+" state"]
		_, inStream := f["stream "+entry]
		final := streamutil.State(state).Final()
		if inStream == final && !m.deleted[entry] {
			complain("order %s is %s, and in the stream: %v", order, state, inStream)
		}
		if _, letter := f["dead "+entry]; letter != (f["record "+order+" letter"] != "") || (letter && state != "dead") {
			complain("order %s is %s, and a dead letter: %v", order, state, letter)
		}
	}
	if f["group"] == "" {
		return broken // destroyed; the next script creates it again
	}
	return append(broken, m.brokenPending(f)...)
}

// brokenPending: every entry is new or with somebody, parked exactly if it has a
// due time, and no order is out twice.
func (m *machine) brokenPending(f facts) (broken []string) {
	complain := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	out := map[string]int{}
	for _, fact := range slices.Sorted(maps.Keys(f)) {
		kind, entry, _ := strings.Cut(fact, " ")
		e, exists := m.model.entry(entry)
		holder := f["pending "+entry]
		switch kind {
		case "pending":
			if _, due := f["due "+entry]; due != (holder == "parked") {
				complain("entry %s is with %s, and due: %v", entry, holder, due)
			}
			if !exists {
				continue // deleted by hand
			}
			if out[e.order]++; out[e.order] > 1 {
				complain("order %s is pending twice", e.order)
			}
			if with := f["record "+e.order+" consumer"]; holder != "parked" && with != holder {
				complain("entry %s is with %s, its record says %s", entry, holder, with)
			}
		case "due":
			if holder == "" && !m.loose[entry] {
				complain("entry %s is due and not pending", entry)
			}
		case "stream":
			if holder == "" && e.number <= m.model.read && !m.loose[entry] {
				complain("entry %s was read and is with nobody", entry)
			}
		}
	}
	return broken
}

// GoString keeps a failure's list of draws short.
func (p *process) GoString() string { return fmt.Sprintf("process %d %s", p.number, p.name) }
