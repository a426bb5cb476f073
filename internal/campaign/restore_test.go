package campaign

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
	"orderq/streamutil"
)

// operator runs an operator's command on the system's queue, and reads its JSON.
func (s *system) operator(into any, args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.setup.Binary, append(args, "--config", s.consumers[0].args[2], "--yes", "-o", "json")...)
	cmd.Env, cmd.Stderr = s.consumers[0].env, os.Stderr
	out, err := cmd.Output()
	if err == nil && into != nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		s.t.Fatalf("orderq %v: %v\n%s", args, err, out)
	}
}

// rejects says which orders the partner does not want.
func rejects(id string) bool { return strings.HasSuffix(id, "7") }

// TestRestoreUnderConsumers makes a backup while orders come in and are sent, lets
// Redis forget everything under running consumers, and puts the backup back. Every
// order that was accepted before the backup must be delivered once, or be a dead
// letter; none that was delivered may be sent again.
func TestRestoreUnderConsumers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	seed := seed(t)
	grumpy := moody(seed)
	s := newSystem(t, setup{
		Consumers: 2, Pace: "40/s", Lease: 3 * time.Second, Timeout: time.Second, MaxInFlight: 10, RedisArgs: []string{"--appendonly", "yes"},
		Respond: func(c partner.Call) partner.Response {
			if rejects(c.OrderID) {
				return partner.Response{Status: http.StatusUnprocessableEntity}
			}
			r := grumpy(c)
			r.Drop = false // a call that was cut off is uncertain, and may rightly be made again
			r.Delay = min(r.Delay, 100*time.Millisecond)
			return r
		},
	})
	s.startProducer()
	s.startConsumers()
	shop := newShop(s.url)
	if err := shop.post(t.Context(), 200, 200, 0+time.Millisecond); err != nil {
		t.Fatal(err)
	}
	before := len(shop.accepted)
	await(t, 20*time.Second, "some orders are delivered", func() bool { return s.partner.Seen() > 40 })
	var saved struct {
		File       string
		Unfinished int
		Dead       int
	}
	s.operator(&saved, "backup", filepath.Join(s.dir, "backup"))
	await(t, 20*time.Second, "some more are", func() bool { return s.partner.Seen() > 80 })
	s.redis.CLI("FLUSHALL")
	await(t, 20*time.Second, "no call runs", s.partnerIsQuiet())

	list := filepath.Join(s.dir, "delivered")
	if err := os.WriteFile(list, []byte(strings.Join(s.deliveredIDs(), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	var put struct {
		Waiting, Delivered int
		Paused             bool
	}
	s.operator(&put, "restore", saved.File, "--delivered", list)
	if !put.Paused || put.Waiting == 0 || put.Delivered == 0 {
		t.Errorf("put back: %+v of %+v", put, saved)
	}
	s.operator(nil, "resume")
	await(t, time.Minute, "the queue is empty", func() bool {
		snap, ok := s.inspect()
		return ok && snap.Length == 0 && s.alive(snap)
	})
	s.stopConsumers()
	s.judgeRestored(shop)
	report(t, "restore, seed %d: %d orders, %d unfinished and %d dead in the backup, %d put back, %d delivered since",
		seed, before, saved.Unfinished, saved.Dead, put.Waiting, put.Delivered)
}

func (s *system) alive(snap streamutil.Snapshot) bool { return len(snap.Consumers) == len(s.consumers) }

// partnerIsQuiet holds when no call has come for a while, and none runs.
func (s *system) partnerIsQuiet() func() bool {
	last, since := -1, time.Now()
	return func() bool {
		if n := s.partner.Seen(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	}
}

// deliveredIDs are the orders that the partner has taken.
func (s *system) deliveredIDs() (ids []string) {
	for _, c := range s.partner.Calls() {
		if c.Accepted() {
			ids = append(ids, c.OrderID)
		}
	}
	return ids
}

func (s *system) judgeRestored(shop *shop) {
	s.t.Helper()
	times := map[string]int{}
	for _, id := range s.deliveredIDs() {
		times[id]++
	}
	for id := range shop.accepted {
		want, state := 1, streamutil.Delivered
		if rejects(id) {
			want, state = 0, streamutil.Dead
		}
		rec, err := s.queue.Lookup(s.t.Context(), id)
		if err != nil || rec.State != state || times[id] != want {
			s.t.Errorf("order %s is %q (%v), and was taken %d times; want %s and %d", id, rec.State, err, times[id], state, want)
		}
	}
}

// TestBackupOfMany makes a backup of a long queue and puts it back, and tells how long
// that took, how large the file and the memory were, and which commands were slow in
// Redis. ORDERQ_TEST_BACKUP is how long the queue is.
func TestBackupOfMany(t *testing.T) {
	many := howMany(t, "ORDERQ_TEST_BACKUP", 10_000)
	redis := redistest.Start(t, "--slowlog-log-slower-than", fmt.Sprint(slow.Microseconds()), "--slowlog-max-len", "1000")
	fill(t, redis.Addr(), many)
	dir := t.TempDir()
	run := func(args ...string) (result map[string]any) {
		t.Helper()
		redis.CLI("SLOWLOG", "RESET")
		cmd := exec.CommandContext(t.Context(), orderq(t), append(args, "--set", "redis.addresses="+redis.Addr(), "--yes", "-o", "json")...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("orderq %v: %v", args, err)
		}
		if err := json.Unmarshal(out, &result); err != nil {
			t.Fatal(err)
		}
		rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
		report(t, "%s of %d orders: %.1f s, %d MiB of memory at most, %d commands of Redis over %v",
			args[0], many, result["seconds"], rss/1024, len(slowLog(t, redis)), slow)
		for _, line := range slowLog(t, redis) {
			t.Log("slow: " + line)
		}
		return result
	}
	saved := run("backup", dir)
	t.Logf("the file has %.0f bytes", saved["bytes"])
	redis.CLI("FLUSHALL")
	put := run("restore", saved["file"].(string))
	if saved["unfinished"] != float64(many) || put["waiting"] != float64(many) {
		t.Errorf("%v in the file, %v put back, want %d", saved["unfinished"], put["waiting"], many)
	}
}
