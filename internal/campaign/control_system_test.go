package campaign

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"orderq/internal/partner"
	"orderq/streamutil"
)

// set gives all consumers further settings, such as consumer.max_hold=2s. Those
// that run have them after their next start.
func (s *system) set(settings ...string) {
	for _, c := range s.consumers {
		c.set(settings...)
	}
}

// set gives one process further settings; the last of a key counts.
func (p *process) set(settings ...string) {
	for _, assigned := range settings {
		p.args = append(p.args, "--set", assigned)
	}
}

// serveMetrics lets a process serve its metrics, at a port of its own choice.
func (p *process) serveMetrics() { p.set("consumer.admin=127.0.0.1:0") }

var adminLine = regexp.MustCompile(`"msg":"serving metrics and probes","address":"([^"]+)"`)

// metrics reads all metrics of a process, by their name with its labels; none
// while it serves none.
func (p *process) metrics() map[string]float64 {
	text, err := os.ReadFile(p.log)
	started := adminLine.FindAllSubmatch(text, -1)
	if err != nil || len(started) == 0 {
		return nil
	}
	resp, err := http.Get("http://" + string(started[len(started)-1][1]) + "/metrics")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	values := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = v
		}
	}
	return values
}

// blockedMetric is the series that says why a consumer sends nothing.
func (s *system) blockedMetric(reason string) string {
	return fmt.Sprintf("orderq_blocked{queue=%q,reason=%q}", s.setup.Queue, reason)
}

// awaitNamed waits until the queue is in a state for a reason, and the first
// consumer's metric says it, too; and gives when each was first seen.
func (s *system) awaitNamed(reason string, state streamutil.QueueState) (queue, metric int64) {
	s.t.Helper()
	await(s.t, 15*time.Second, fmt.Sprintf("queue and metrics say %s, %s", state, reason), func() bool {
		if snap, _ := s.inspect(); queue == 0 && snap.Blocked == reason && snap.State == state {
			queue = partner.Now()
		}
		if metric == 0 && s.consumers[0].metrics()[s.blockedMetric(reason)] == 1 {
			metric = partner.Now()
		}
		return queue != 0 && metric != 0
	})
	return queue, metric
}

// command runs one of the operators' commands as they would, and gives
// when it began and ended, as partner.Now reads.
func (s *system) command(args ...string) (began, ended int64) {
	s.t.Helper()
	args = append(args, "--config", s.consumers[0].args[2], "--yes")
	cmd := exec.CommandContext(s.t.Context(), s.setup.Binary, args...)
	cmd.Env = s.consumers[0].env
	began = partner.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("orderq %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return began, partner.Now()
}

// lookup is what a shop sees of an order.
type lookup struct {
	State      streamutil.State `json:"state"`
	Attempts   int              `json:"attempts"`
	LastAnswer struct {
		Outcome streamutil.Outcome `json:"outcome"`
		Status  int                `json:"status"`
	} `json:"last_answer"`
}

// lookup asks the producer for an order.
func (s *system) lookup(id string) (lookup, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/orders/"+id, nil)
	if err != nil {
		return lookup{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return lookup{}, err
	}
	defer resp.Body.Close()
	var l lookup
	if resp.StatusCode != http.StatusOK {
		return l, fmt.Errorf("look up %s: status %d", id, resp.StatusCode)
	}
	return l, json.NewDecoder(resp.Body).Decode(&l)
}

// key names one of the queue's keys in Redis.
func (s *system) key(name string) string { return "orderq:{" + s.setup.Queue + "}:" + name }

// strikes is how many speak against an order.
func (s *system) strikes(id string) int {
	s.t.Helper()
	n, _ := strconv.Atoi(s.redis.CLI("HGET", s.key("order:"+id), "strikes")) // absent is none
	return n
}

// lastClose is how long after a moment, as partner.Now reads, the last two calls
// began that were less than the interval apart; 0 if none were.
func (s *system) lastClose(since int64, interval time.Duration) time.Duration {
	var last time.Duration
	calls := slices.SortedFunc(slices.Values(s.partner.Calls()), byStart)
	for i := 1; i < len(calls); i++ {
		if calls[i].Arrived > since && calls[i].Start()-calls[i-1].Start() < int64(interval) {
			last = time.Duration(calls[i].Arrived - since)
		}
	}
	return last
}

// awaitClose waits for two calls after a moment, less than the interval apart,
// and gives how long after it that was.
func (s *system) awaitClose(since int64, interval time.Duration) time.Duration {
	s.t.Helper()
	var took time.Duration
	await(s.t, 10*time.Second, fmt.Sprintf("two calls less than %v apart", interval), func() bool {
		took = s.lastClose(since, interval)
		return took > 0
	})
	return took
}

// awaitCall waits for the first call after a moment, and gives how long after it
// that was.
func (s *system) awaitCall(since int64) time.Duration {
	s.t.Helper()
	var took time.Duration
	await(s.t, 10*time.Second, "a call", func() bool {
		for _, c := range s.partner.Calls() {
			if c.Arrived > since {
				took = time.Duration(c.Arrived - since)
				return true
			}
		}
		return false
	})
	return took
}

// post posts orders, one after the other.
func (s *system) post(shop *shop, ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		if _, err := shop.submit(s.t.Context(), id); err != nil {
			s.t.Fatal(err)
		}
	}
}

// awaitEmpty waits until all orders are final.
func (s *system) awaitEmpty(within time.Duration) {
	s.t.Helper()
	await(s.t, within, "the queue is empty", func() bool {
		snap, ok := s.inspect()
		return ok && snap.Length == 0
	})
}

// snapshot is the queue as it is now.
func (s *system) snapshot() streamutil.Snapshot {
	s.t.Helper()
	snap, ok := s.inspect()
	if !ok {
		s.t.Fatal("the queue cannot be inspected")
	}
	return snap
}
