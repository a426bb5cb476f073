package streamutil_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderq/streamutil"
)

// The model is the specification of the scripts, in Go: what each answers and
// what it leaves behind. Entries go by the names that tests give them; times
// are "now" or "an hour from now", which passes only when a test says so.
type model struct {
	maxBacklog, maxInFlight int

	stream  []modelEntry   // oldest first
	born    map[string]int // entry -> its number among all ever added
	group   bool
	read    int               // the number of the last entry that the group has read
	pending map[string]string // entry -> who has it
	due     map[string]bool   // parked entry -> whether an hour has to pass yet
	letters map[string]string // entry -> its dead letter, as facts tell it

	records   map[string]fields // by order id
	stats     fields
	consumers map[string]*modelConsumer
	log       []string

	pace    time.Duration   // the consumers'; -1: not known
	control fields          // all of control but pace
	moments map[string]bool // what in control ends, and whether an hour has to pass yet
	quiet   map[string]bool // the same for the orders that are to be left alone
	entries map[string]int  // how many entries each order has had

	// The present slot. known is false while the pace hash is not there.
	known, otherServer bool
	epochs, number     int
	state, holder      string
	lastStart          time.Duration // how long after its take a slot's last call may start; -1: slot 0
	open               bool
}

type modelEntry struct {
	name        string
	number      int // its place among all entries ever added
	order, body string
	seq         int // 0: added by hand
}

type modelConsumer struct {
	beat, k int64
	pace    time.Duration
}

// fields is a hash as facts tell it.
type fields map[string]string

func (f fields) num(name string) int {
	n, _ := strconv.Atoi(f[name])
	return n
}

func (f fields) add(name string, n int) int {
	sum := f.num(name) + n
	f[name] = strconv.Itoa(sum)
	return sum
}

func (f fields) set(pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		f[pairs[i]] = pairs[i+1]
	}
}

func (f fields) drop(names ...string) {
	for _, n := range names {
		delete(f, n)
	}
}

func newModel(maxBacklog, maxInFlight int) *model {
	return &model{
		maxBacklog: maxBacklog, maxInFlight: maxInFlight, pace: -1,
		born: map[string]int{}, pending: map[string]string{}, due: map[string]bool{}, letters: map[string]string{},
		records: map[string]fields{}, stats: fields{}, consumers: map[string]*modelConsumer{},
		control: fields{}, moments: map[string]bool{}, quiet: map[string]bool{}, entries: map[string]int{}, lastStart: -1,
	}
}

// facts tells the model's state in the words of harness.facts.
func (m *model) facts() facts {
	f := facts{}
	for _, e := range m.stream {
		line := map[string]string{"id": e.order, "body": e.body}
		if e.seq > 0 {
			line["seq"] = strconv.Itoa(e.seq)
		}
		f["stream "+e.name] = flat(line, "id", "body", "seq")
	}
	if m.group {
		f["group"] = "exists"
	}
	for e, name := range m.pending {
		f["pending "+e] = name
	}
	for e, hour := range m.due {
		f["due "+e] = "now"
		if hour {
			f["due "+e] = "1h0m0s"
		}
	}
	for e, letter := range m.letters {
		f["dead "+e] = letter
	}
	for i, line := range m.log {
		f[fmt.Sprintf("log %03d", i+1)] = line
	}
	for order, rec := range m.records {
		for name, value := range rec {
			f["record "+order+" "+name] = value
		}
	}
	for name, c := range m.consumers {
		f["consumer "+name] = fmt.Sprintf("beat=%d k=%d pace=%v", c.beat, c.k, c.pace)
	}
	for name, value := range m.stats {
		f["stats "+name] = value
	}
	m.controlFacts(f)
	return f
}

func (m *model) controlFacts(f facts) {
	if m.pace >= 0 {
		f["control pace"] = strconv.FormatInt(m.pace.Microseconds(), 10)
	}
	for name, value := range m.control {
		f["control "+name] = value
	}
	for name := range m.moments {
		f["control "+name] = "set"
	}
	if !m.known {
		return
	}
	f["pace server"], f["pace epoch"] = "set", m.epoch()
	f["pace slot"], f["pace state"] = strconv.Itoa(m.number), m.state
	f["pace open"] = "0"
	if m.open {
		f["pace open"] = "1"
	}
	if m.holder != "" {
		f["pace holder"] = m.holder
	}
	if m.lastStart >= 0 {
		f["pace last_start"] = strconv.FormatInt(m.lastStart.Microseconds(), 10)
	}
}

func (m *model) epoch() string { return fmt.Sprintf("epoch %d", m.epochs) }

// append puts an order at the end of the stream and returns its entry's name.
func (m *model) append(order, body string) (string, int) {
	seq := m.stats.add("seq", 1)
	m.entries[order]++
	name := entryName(order, m.entries[order])
	m.add(name, order, body, seq)
	return name, seq
}

// add puts an entry at the end of the stream.
func (m *model) add(name, order, body string, seq int) {
	m.born[name] = len(m.born) + 1
	m.stream = append(m.stream, modelEntry{name: name, number: m.born[name], order: order, body: body, seq: seq})
}

func (m *model) entry(name string) (modelEntry, bool) {
	i := slices.IndexFunc(m.stream, func(e modelEntry) bool { return e.name == name })
	if i < 0 {
		return modelEntry{}, false
	}
	return m.stream[i], true
}

// remove takes a finished entry out of everything.
func (m *model) remove(name string) {
	m.stream = slices.DeleteFunc(m.stream, func(e modelEntry) bool { return e.name == name })
	delete(m.pending, name)
	delete(m.due, name)
}

// oldest sorts the names of entries as the stream does.
func (m *model) oldest(names []string) []string {
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(m.born[a], m.born[b]) })
	return names
}

func (m *model) heldBy(name string) []string {
	var held []string
	for e, holder := range m.pending {
		if holder == name {
			held = append(held, e)
		}
	}
	return m.oldest(held)
}

func (m *model) dueNow() []string {
	var ready []string
	for e, hour := range m.due {
		if !hour {
			ready = append(ready, e)
		}
	}
	return m.oldest(ready)
}

// stranded: the group has read the entry, and nobody has it.
func (m *model) stranded(name string) bool {
	e, exists := m.entry(name)
	_, held := m.pending[name]
	return exists && !held && e.number <= m.read
}

// holds: the name has the entry. What somebody acknowledged by hand is its again.
func (m *model) holds(name, entry string) bool {
	if m.stranded(entry) {
		m.pending[entry] = name
	}
	return m.pending[entry] == name
}

// presentState: the stream knows better than the record.
func (m *model) presentState(rec fields) string {
	if streamutil.State(rec["state"]).Final() {
		return rec["state"]
	}
	if holder, held := m.pending[rec["entry"]]; held {
		return map[bool]string{true: "parked", false: "in_flight"}[holder == "parked"]
	}
	if _, exists := m.entry(rec["entry"]); exists {
		return "waiting"
	}
	return "cancelled"
}

func (m *model) inFlight() int { return len(m.pending) - len(m.due) }

func (m *model) note(line string) { m.log = append(m.log, line) }

// anHourPasses: everything parked is due, every wait is over.
func (m *model) anHourPasses() {
	for _, waits := range []map[string]bool{m.due, m.moments, m.quiet} {
		for name := range waits {
			waits[name] = false
		}
	}
}

// interval is the pace in force.
func (m *model) interval() time.Duration {
	if t, ok := m.control["pace_override"]; ok && m.lasts("pace_until") {
		us, _ := strconv.ParseInt(t, 10, 64)
		return time.Duration(us) * time.Microsecond
	}
	return m.pace
}

// lasts: what ends at that moment, if it has an end, goes on.
func (m *model) lasts(moment string) bool {
	hour, set := m.moments[moment]
	return !set || hour
}

// blocked is why nothing may be sent, as answers tell it; empty if it may.
func (m *model) blocked() string {
	_, open := m.control["breaker"]
	switch {
	case m.control["paused"] != "" && m.moments["pause_until"]:
		return m.control["paused"] + " 1h0m0s"
	case m.control["paused"] != "" && m.lasts("pause_until"):
		return m.control["paused"] + " unknown"
	case m.moments["hold_until"]:
		return "hold 1h0m0s"
	case open && m.moments["breaker_until"] && (m.control["alone"] == "" || len(m.stream) <= len(m.pending)):
		return "breaker 1h0m0s"
	}
	return ""
}

// setPace: the slowest of those registered; with none the last one known.
func (m *model) setPace() {
	if len(m.consumers) > 0 {
		m.pace = 0
		for c := range maps.Values(m.consumers) {
			m.pace = max(m.pace, c.pace)
		}
	}
}

// place is where a waiting order stands, and the estimate.
func (m *model) place(seq int) string {
	p := streamutil.Place{Position: int64(max(seq-m.stats.num("taken"), 1) + len(m.dueNow()))}
	why := m.blocked()
	if t := m.interval(); t >= 0 && !strings.HasSuffix(why, "unknown") {
		p.Known = true
		p.Wait = time.Duration(p.Position-1) * t
		if why != "" {
			p.Wait += time.Hour
		}
	}
	return placeText(p)
}

// slot tells the present slot as harness.slotText does.
func (m *model) slot() string {
	open, pace, t := "closed", "unknown", m.interval()
	if m.open {
		open = "open"
	}
	if t >= 0 {
		pace = t.String()
	}
	wait := m.lastStart + max(t, 0)
	if m.lastStart < 0 {
		// Whatever the last epoch granted: up to a whole batch.
		wait = max(t, 100*time.Millisecond) + streamutil.Grace
	}
	text := fmt.Sprintf("%s %s slot %d %s wait=%s pace=%s", m.epoch(), open, m.number, m.state, wait, pace)
	return strings.TrimSpace(text + " " + m.blocked())
}
