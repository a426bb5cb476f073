package streamutil_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// facts is all that a queue has in Redis, one fact a line: "pending A" = "c1".
// What a clock wrote is only "set"; due times are told as what is left of them.
type facts map[string]string

// group and field names of the contract in scripts/, written out here so that a
// change of them is noticed.
const groupName = "dispatchers"

// clockFields are times: their presence matters, not their value.
var clockFields = map[string]bool{
	"accepted": true, "taken": true, "finished": true, "hash": true, "letter": true, "server": true,
	"not_before": true,
}

// facts reads the queue's whole state.
func (h *harness) facts() facts {
	h.t.Helper()
	ctx, b, f := h.t.Context(), h.raw.B, facts{}
	got := h.raw.DoMulti(ctx,
		b().Xrange().Key(h.key("stream")).Start("-").End("+").Build(),
		b().Xpending().Key(h.key("stream")).Group(groupName).Start("-").End("+").Count(1000).Build(),
		b().Zrange().Key(h.key("due")).Min("0").Max("-1").Withscores().Build(),
		b().Xrange().Key(h.key("dead")).Start("-").End("+").Build(),
		b().Xrange().Key(h.key("log")).Start("-").End("+").Build(),
		b().Hgetall().Key(h.key("control")).Build(),
		b().Hgetall().Key(h.key("pace")).Build(),
		b().Hgetall().Key(h.key("stats")).Build(),
		b().Hgetall().Key(h.key("consumers")).Build(),
		b().Keys().Pattern(h.key("*")).Build(),
		b().Time().Build(),
	)
	for _, e := range must(h, got[0].AsXRange) {
		f["stream "+h.alias(e.ID)] = flat(e.FieldValues, "id", "body", "seq", "trace")
	}
	h.pendingFacts(f, got[1])
	control, pace := must(h, got[5].AsStrMap), must(h, got[6].AsStrMap)
	clock := must(h, got[10].AsIntSlice)
	now := max(float64(clock[0]*1000+clock[1]/1000+number(pace["clock_offset"])), float64(number(pace["clock_last"])))
	for _, z := range must(h, got[2].AsZScores) {
		f["due "+h.alias(z.Member)] = left(z.Score - now)
	}
	for _, e := range must(h, got[3].AsXRange) {
		e.FieldValues["entry"] = h.alias(e.FieldValues["entry"])
		f["dead "+e.FieldValues["entry"]] = flat(e.FieldValues, "id", "body", "reason", "status", "answer", "attempts")
	}
	for i, e := range must(h, got[4].AsXRange) {
		f[fmt.Sprintf("log %03d", i+1)] = h.logFact(e.FieldValues)
	}
	if control["schema"] == "1" { // as ever; else it is worth telling
		delete(control, "schema")
	}
	h.hashFacts(f, "control", control)
	h.hashFacts(f, "pace", pace)
	h.hashFacts(f, "stats", must(h, got[7].AsStrMap))
	h.consumerFacts(f, must(h, got[8].AsStrMap))
	h.keyFacts(f, must(h, got[9].AsStrSlice))
	return f
}

func (h *harness) pendingFacts(f facts, r rueidis.RedisResult) {
	rows, err := r.ToArray()
	if err != nil {
		return // no group yet
	}
	f["group"] = "exists"
	for _, row := range rows {
		r, _ := row.ToArray()
		id, _ := r[0].ToString()
		f["pending "+h.alias(id)], _ = r[1].ToString()
	}
}

func (h *harness) logFact(fields map[string]string) string {
	if id, ok := fields["entry"]; ok {
		fields["entry"] = h.alias(id)
	}
	text := flat(fields, "order", "entry", "consumer", "outcome", "reason", "state", "status", "attempt", "due", "dead",
		"who", "why", "ms", "interval", "orders")
	return strings.TrimSpace(fields["what"] + " " + text)
}

func (h *harness) hashFacts(f facts, name string, fields map[string]string) {
	for field, value := range fields {
		switch {
		case strings.HasPrefix(field, "clock_"): // moves with every call
		case name == "stats": // "taken" is a number there
			f[name+" "+field] = value
		case clockFields[field]:
			f[name+" "+field] = "set"
		case strings.HasSuffix(field, "_until"):
			f[name+" "+field] = "set"
		case field == "epoch":
			f[name+" "+field] = h.epoch(value)
		default:
			f[name+" "+field] = h.alias(value)
		}
	}
}

func (h *harness) consumerFacts(f facts, all map[string]string) {
	for name, text := range all {
		var c struct{ Beat, K, Pace int64 }
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			h.t.Fatalf("consumer %s: %v", name, err)
		}
		f["consumer "+name] = fmt.Sprintf("beat=%d k=%d pace=%v", c.Beat, c.K, time.Duration(c.Pace)*time.Microsecond)
	}
}

// keyFacts reads the orders' records, and names any key that should not be.
func (h *harness) keyFacts(f facts, keys []string) {
	known := []string{"stream", "due", "dead", "control", "pace", "stats", "consumers", "log"}
	var orders []string
	var reads rueidis.Commands
	for _, key := range keys {
		name := strings.TrimPrefix(key, h.key(""))
		if order, ok := strings.CutPrefix(name, "order:"); ok {
			orders = append(orders, order)
			reads = append(reads, h.raw.B().Hgetall().Key(key).Build(), h.raw.B().Pttl().Key(key).Build())
		} else if !slices.Contains(known, name) {
			f["stray key"] = name
		}
	}
	got := h.raw.DoMulti(h.t.Context(), reads...)
	for i, order := range orders {
		h.hashFacts(f, "record "+order, must(h, got[2*i].AsStrMap))
		if ttl := must(h, got[2*i+1].AsInt64); ttl >= 0 {
			f["record "+order+" expires"] = left(float64(ttl))
		}
	}
}

// changes tells what became of the facts: "+ due A = now", "- pending A = c1",
// "record A state: in_flight -> parked".
func (f facts) changes(after facts) []string {
	var lines []string
	for name, was := range f {
		if is, ok := after[name]; !ok {
			lines = append(lines, "- "+name+" = "+was)
		} else if is != was {
			lines = append(lines, name+": "+was+" -> "+is)
		}
	}
	for name, is := range after {
		if _, ok := f[name]; !ok {
			lines = append(lines, "+ "+name+" = "+is)
		}
	}
	slices.Sort(lines)
	return lines
}

func flat(fields map[string]string, names ...string) string {
	var words []string
	for _, n := range names {
		if v, ok := fields[n]; ok && v != "" {
			words = append(words, n+"="+v)
		}
	}
	return strings.Join(words, " ")
}

// left tells milliseconds roughly; what is not ahead is "now".
func left(ms float64) string {
	if ms <= 0 {
		return "now"
	}
	return roughly(time.Duration(ms * float64(time.Millisecond)))
}

func must[T any](h *harness, read func() (T, error)) T {
	h.t.Helper()
	v, err := read()
	if err != nil && !rueidis.IsRedisNil(err) {
		h.t.Fatalf("read the queue's state: %v", err)
	}
	return v
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
