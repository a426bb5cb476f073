package campaign

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/streamutil"
)

// misdeed is something that a person does to Redis behind the programs' back.
type misdeed struct {
	name string
	// do does it, and returns the orders that are gone by it.
	do func(s *system) (gone []string)
	// losesAll: what waited is gone, and what was is forgotten.
	losesAll bool
	// forgets: Redis may have forgotten calls that still run. Nobody sends until
	// they must have ended, which is said.
	forgets bool
	says    string // some consumer, in its log
}

// forgotten is what a consumer says of a Redis that may not know of all calls.
const forgotten = "redis may have forgotten something"

func misdeeds() []misdeed {
	return []misdeed{
		{name: "XGROUP DELCONSUMER", do: deleteConsumer},
		{name: "XGROUP DELCONSUMER, and its process dies", do: deleteAndKill, says: "found orders again"},
		{name: "XACK of an entry in flight", do: acknowledge},
		{name: "XDEL of a waiting entry", do: deleteWaiting},
		{name: "XDEL of a parked entry", do: deleteParked, says: "somebody deleted an entry by hand"},
		{name: "XGROUP DESTROY", do: types("XGROUP", "DESTROY", "stream", "dispatchers"), forgets: true},
		{name: "FLUSHALL", do: types("FLUSHALL"), losesAll: true, forgets: true},
		{name: "DEL of the stream", do: types("DEL", "stream"), losesAll: true, forgets: true},
		{name: "DEL of every other key", do: deleteKeys, says: forgotten},
		{name: "SCRIPT FLUSH", do: types("SCRIPT", "FLUSH")},
		{name: "CONFIG SET maxmemory", do: fillMemory},
		{name: "REPLICAOF", do: follow, forgets: true},
		{name: "CLIENT PAUSE", do: pauseClients},
		{name: "CLIENT KILL", do: types("CLIENT", "KILL", "TYPE", "normal")},
		{name: "DEBUG SLEEP", do: types("DEBUG", "SLEEP", "2.5")},
	}
}

// TestByHand does to Redis what people do, while orders come in and are sent:
// those that still exist are delivered, those that do not are said to be gone,
// nothing is called twice at once or too soon, and nobody loops.
func TestByHand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	for _, m := range misdeeds() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.run(t)
		})
	}
}

// keyNames stand for the queue's keys, the stream first.
var keyNames = []string{"stream", "due", "dead", "control", "pace", "stats", "consumers", "log"}

// types sends one command; words that are the name of a key stand for it.
func types(words ...string) func(*system) []string {
	return func(s *system) []string {
		args := slices.Clone(words)
		for i, w := range args[1:] {
			if slices.Contains(keyNames, w) {
				args[i+1] = s.key(w)
			}
		}
		s.redis.CLI(args...)
		return nil
	}
}

// unsteady is a partner that leaves something in flight and something parked.
func unsteady(c partner.Call) partner.Response {
	switch {
	case c.Attempt == 1 && c.Seq%8 == 0:
		return partner.Response{Drop: true}
	case c.Attempt == 1 && c.Seq%8 == 4:
		return partner.Response{Status: http.StatusInternalServerError}
	}
	return partner.Response{Delay: 150 * time.Millisecond}
}

func (m misdeed) run(t *testing.T) {
	const interval = 25 * time.Millisecond
	s := newSystem(t, setup{
		Consumers: 2, Pace: "40/s", Lease: 2 * time.Second, Timeout: time.Second, MaxInFlight: 10, Respond: unsteady,
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s.consumers[0].serveMetrics()
	accepted := s.backlog(40)
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	stop := shop.keepPosting(ctx, 60*time.Millisecond)
	s.awaitCalls(20)

	began := partner.Now()
	gone := m.do(s)
	done := partner.Now()
	if m.forgets {
		s.noticed("epoch", done)
		m.says = forgotten
	}
	took := time.Duration(s.awaitAccepted(done) - done)
	s.awaitCalls(30)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	s.awaitEmpty(30 * time.Second)
	maps.Copy(accepted, shop.accepted)
	e := Evidence{Interval: interval, Accepted: accepted, Calls: s.partner.Calls()}
	lost := m.judge(s, e, gone)
	r := partner.Check(e.Calls, interval)
	rate := s.commandRate(time.Duration(partner.Now() - e.Calls[0].Arrived))
	report(t, "in %v: %d accepted, %d gone, %d calls, %d taken more than once, %d overlaps; sending went on after %v; %.0f commands/s",
		time.Duration(done-began).Round(time.Millisecond), len(accepted), lost, r.Calls, r.Repeated, len(r.Overlaps), took.Round(time.Millisecond), rate)
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if rate > 400 || r.Calls > 2*len(accepted) {
		t.Errorf("%.0f commands/s and %d calls for %d orders: somebody loops", rate, r.Calls, len(accepted))
	}
	if m.says != "" && !s.said(m.says) {
		t.Errorf("no consumer said: %s", m.says)
	}
}

// noticed awaits that everybody says why nothing is sent, soon after a moment.
func (s *system) noticed(reason string, since int64) {
	s.t.Helper()
	queue, metric := s.awaitNamed(reason, streamutil.QueueStalled)
	byQueue, byMetric := time.Duration(queue-since), time.Duration(metric-since)
	report(s.t, "%s: said by the queue after %v, by the metric after %v", reason, byQueue.Round(time.Millisecond), byMetric.Round(time.Millisecond))
	if max(byQueue, byMetric) > noticedWithin {
		s.t.Errorf("%s: not said within %v", reason, noticedWithin)
	}
}

// judge looks what became of every order, and counts those that never reached
// the partner.
func (m misdeed) judge(s *system, e Evidence, gone []string) (lost int) {
	s.t.Helper()
	taken := map[string]bool{}
	for _, c := range e.Calls {
		taken[c.OrderID] = taken[c.OrderID] || c.Accepted()
	}
	for id := range e.Accepted {
		rec, err := s.queue.Lookup(s.t.Context(), id)
		if err != nil && !errors.Is(err, streamutil.ErrNotFound) {
			s.t.Fatal(err)
		}
		good := rec.State == streamutil.Delivered && taken[id]
		switch {
		case m.losesAll: // forgotten, or said to be gone; and what was taken may be forgotten, too
			good = good || err != nil || rec.State == streamutil.Cancelled
		case slices.Contains(gone, id):
			good = rec.State == streamutil.Cancelled
		}
		if !good {
			s.t.Errorf("order %s is %q (%v); taken by the partner: %v", id, rec.State, err, taken[id])
		}
		if !taken[id] {
			lost++
		}
	}
	return lost
}

// commandRate is how many commands the programs sent a second; those inside
// scripts do not count.
func (s *system) commandRate(over time.Duration) float64 {
	s.t.Helper()
	total := 0
	for line := range strings.Lines(s.redis.CLI("INFO", "commandstats")) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		text, _, _ := strings.Cut(rest, ",")
		if n, err := strconv.Atoi(text); err == nil && slices.Contains([]string{"evalsha", "eval", "xread"}, name) {
			total += n
		}
	}
	return float64(total) / over.Seconds()
}

// said reports whether some consumer logged it.
func (s *system) said(what string) bool {
	for _, c := range s.consumers {
		if text, err := os.ReadFile(c.log); err == nil && strings.Contains(string(text), what) {
			return true
		}
	}
	return false
}
