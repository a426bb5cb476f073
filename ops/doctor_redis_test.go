package ops_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"orderq/internal/faultconn"
	"orderq/internal/redistest"
	"orderq/ops"
	"orderq/streamutil"
)

// ward is a queue as a doctor comes to it: over a client of some kind.
type ward struct {
	*desk
	client   streamutil.ClientConfig
	findings func(context.Context) []ops.Finding
}

func newWard(t *testing.T, addr string) *ward {
	return &ward{desk: newDesk(t, addr), client: streamutil.ClientConfig{Addresses: []string{addr}}}
}

func (w *ward) openAs() (ops.Desk, error) {
	c := streamutil.NewClient(w.client)
	q, err := streamutil.NewQueue(c, streamutil.QueueConfig{Name: w.queue})
	return ops.Desk{Queue: q, Close: c.Close, Findings: w.findings}, err
}

// runWith types a command at some desk and returns what it printed.
func runWith(t *testing.T, open ops.Open, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "orderq", SilenceErrors: true, SilenceUsage: true}
	root.PersistentFlags().StringP("output", "o", "table", "")
	root.AddCommand(ops.Commands(open)...)
	var out, errs bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

// found runs doctor and gives its findings by check, what it said beside them,
// and how it ended.
func (w *ward) found() (map[string]string, string, error) {
	w.t.Helper()
	out, errs, err := runWith(w.t, w.openAs, "doctor", "-o", "jsonl")
	found := map[string]string{}
	for line := range strings.Lines(out) {
		var f struct{ Check, Result, Detail, Mend string }
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			w.t.Fatalf("%v in %q", err, line)
		}
		found[f.Check] += f.Result + " " + f.Detail + " | " + f.Mend + "\n"
	}
	return found, errs, err
}

// wants runs doctor: CHECK, how its finding begins.
func (w *ward) wants(wantCode int, wants map[string]string) {
	w.t.Helper()
	found, errs, err := w.found()
	for check, want := range wants {
		if !strings.HasPrefix(found[check], want) {
			w.t.Errorf("%s: %q, want %q", check, found[check], want)
		}
	}
	if got := code(err); got != wantCode {
		w.t.Errorf("exit code %d, want %d; %s\n%v", got, wantCode, errs, found)
	}
}

func TestDoctorFindsWhatIsWrongWithRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes")
	w := newWard(t, srv.Addr())
	w.wants(0, map[string]string{
		"redis version": "PASS ", "persistence": "PASS append-only file, appendfsync everysec", "disk": "PASS", "memory policy": "PASS noeviction",
		"memory": "PASS", "durability": "PASS memory", "clients": "PASS", "slow log": "", "permissions": "PASS user default", "latency": "",
		"queue": "PASS idle", "group": "WARN not there", "consumers": "WARN none", "pending": "PASS", "backlog": "PASS 0 of", "dead letters": "PASS",
	})
	for _, tt := range []struct {
		name  string
		do    []string
		check string
		want  string
		code  int
	}{
		{"policy", []string{"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}, "memory policy", "FAIL allkeys-lru", 1},
		{"mended", []string{"CONFIG", "SET", "maxmemory-policy", "noeviction"}, "memory policy", "PASS", 0},
		{"memory", []string{"CONFIG", "SET", "maxmemory", "100"}, "memory", "FAIL", 1},
		{"mended", []string{"CONFIG", "SET", "maxmemory", "0"}, "memory", "PASS", 0},
		{"AOF", []string{"CONFIG", "SET", "appendonly", "no"}, "persistence", "FAIL no append-only file: a restart of Redis loses every order", 1},
		{"mended", []string{"CONFIG", "SET", "appendonly", "yes"}, "persistence", "PASS", 0},
		{"fsync", []string{"CONFIG", "SET", "appendfsync", "no"}, "persistence", "WARN", 0},
	} {
		srv.CLI(tt.do...)
		found, errs, err := w.found()
		if got := found[tt.check]; !strings.HasPrefix(got, tt.want) || code(err) != tt.code {
			t.Errorf("%s: %q, exit code %d; want %q, %d; %s", tt.name, got, code(err), tt.want, tt.code, errs)
		}
	}
}

func TestDoctorOnDurability(t *testing.T) {
	t.Parallel()
	r := redistest.StartReplicated(t, 1, 1, "--appendonly", "yes")
	w := newWard(t, r.Master().Addr())
	var err error
	asks := func(text string) {
		t.Helper()
		if w.client.Durability, err = streamutil.ParseDurability(text); err != nil {
			t.Fatal(err)
		}
	}
	asks("replicas=2")
	w.wants(1, map[string]string{"durability": "FAIL replicas=2 and 1 replica connected", "replicas": "PASS 1 in step"})
	asks("replicas=1")
	w.wants(0, map[string]string{"durability": "WARN replicas=1, but min-replicas-to-write is 0"})
	r.Master().CLI("CONFIG", "SET", "min-replicas-to-write", "1")
	w.wants(0, map[string]string{"durability": "PASS replicas=1", "permissions": "PASS"})

	asks("memory")
	w.client = streamutil.ClientConfig{SentinelMaster: redistest.MasterName, SentinelAddresses: r.SentinelAddrs()}
	w.wants(0, map[string]string{"durability": "WARN memory: a failover can promote"})
	for _, s := range r.Servers() {
		if s.Addr() != r.Master().Addr() {
			w.client = streamutil.ClientConfig{Addresses: []string{s.Addr()}}
		}
	}
	w.wants(1, map[string]string{"role": "FAIL redis ", "permissions": "PASS"})
}

func TestDoctorOnRights(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes")
	w := newWard(t, srv.Addr())
	w.client.Username, w.client.Password = "w", "s3cret"
	user := func(rights ...string) {
		srv.CLI(append([]string{"ACL", "SETUSER", "w", "reset", "on", ">s3cret"}, rights...)...)
	}
	for _, tt := range []struct {
		name   string
		rights []string
		code   int
		want   string
	}{
		{"all", []string{"~*", "+@all"}, 0, "PASS user w may do all"},
		{"no xadd", []string{"~*", "+@all", "-xadd"}, 1, "FAIL user w may not use: xadd | redis-cli"},
		{"a subcommand", []string{"~*", "+@all", "-xgroup|create"}, 1, "FAIL user w may not use: xgroup|create | "},
		{"cannot be asked", []string{"~*", "+@all", "-acl", "-xadd"}, 1, "FAIL user w may not use: xadd | "},
		{"other keys", []string{"~other:*", "+@all"}, 1, "FAIL user w may not use: keys orderq:{" + w.queue + "}:* | "},
		{"other keys, cannot be asked", []string{"~other:*", "+@all", "-acl"}, 1, "FAIL user w may not use: keys orderq:{" + w.queue + "}:* | "},
		{"not even info", []string{"~*", "+@all", "-info"}, 1, "FAIL user w may not use: info | "},
		{"no CONFIG", []string{"~*", "+@all", "-config", "-slowlog"}, 0, "PASS user w"},
	} {
		user(tt.rights...)
		found, errs, err := w.found()
		if got := found["permissions"]; !strings.HasPrefix(got, tt.want) || code(err) != tt.code {
			t.Errorf("%s: %q, exit code %d; want %q, %d; %s", tt.name, got, code(err), tt.want, tt.code, errs)
		}
		if told := strings.Contains(errs, "does not tell: CONFIG GET, SLOWLOG GET\n"); told != (tt.name == "no CONFIG") {
			t.Errorf("%s: stderr %q", tt.name, errs)
		}
	}
	var err error
	if w.client.Durability, err = streamutil.ParseDurability("fsync"); err != nil {
		t.Fatal(err)
	}
	srv.CLI("CONFIG", "SET", "appendfsync", "always")
	user("~*", "+@all", "-config", "-command")
	if found, _, _ := w.found(); !strings.HasPrefix(found["permissions"], "FAIL user w may not use: config|get | ") {
		t.Errorf("what confirms a write is forbidden: %q", found["permissions"])
	}
	user("~*", "+@all", "resetpass", ">another")
	w.wants(1, map[string]string{"redis": "FAIL " + w.q.Redis() + " refuses us: "})
}

func TestDoctorOnTheQueue(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "no", "--slowlog-log-slower-than", "0")
	w := newWard(t, srv.Addr())
	w.orders()
	w.wants(0, map[string]string{
		"queue": "PASS running, 2 waiting", "group": "PASS", "consumers": "PASS 1 alive", "heartbeats": "PASS", "pending": "PASS all",
		"dead letters": "WARN 1 order set aside for a person | orderq dead list", "log": "PASS reaches ", "consumer paces": "PASS unlimited",
	})
	srv.CLI("HDEL", "orderq:{"+w.queue+"}:consumers", "w")
	w.wants(0, map[string]string{
		"consumers": "WARN none is running", "pending": "WARN 1 order in flight with names that are not registered (w)",
		"queue": "WARN stalled: no consumer",
	})
	srv.CLI("HSET", "orderq:{"+w.queue+"}:consumers", "junk\x1b[2J", "not json")
	w.wants(0, map[string]string{"consumers": "WARN none lives; no sign of life from junk"})
	if out, _, _ := runWith(t, w.openAs, "doctor"); strings.ContainsRune(out, '\x1b') {
		t.Error("what a hand wrote into Redis reaches the terminal")
	}
}

func TestDoctorOfASlowOrSilentRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes")
	proxy := faultconn.Listen(t, srv.Addr())
	w := newWard(t, srv.Addr())
	w.client.Addresses = []string{proxy.Addr()}
	proxy.Delay(20 * time.Millisecond)
	w.wants(0, map[string]string{"latency": "WARN median ", "permissions": "PASS"})
	proxy.Delay(time.Minute)
	w.wants(1, map[string]string{"redis": "FAIL redis " + proxy.Addr() + " db 0 does not answer"})
}

// TestCheckOfAFrozenRedis freezes it when the connection is there.
func TestCheckOfAFrozenRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	w := newWard(t, srv.Addr())
	for _, command := range []string{"check", "doctor"} {
		start := time.Now()
		out, _, err := runWith(t, func() (ops.Desk, error) {
			desk, err := w.openAs()
			if err == nil {
				err = desk.Queue.Ping(t.Context())
			}
			srv.Stop()
			return desk, err
		}, command)
		srv.Continue()
		t.Logf("%s took %s", command, time.Since(start))
		if want := map[string]int{"check": 3, "doctor": 1}[command]; code(err) != want || !strings.Contains(out, " does not answer ") {
			t.Errorf("%s: exit code %d, want %d; %q", command, code(err), want, out)
		}
	}
}

// TestCheckOfASlowRedis is a Redis that answers ever later.
func TestCheckOfASlowRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	for _, delay := range []time.Duration{300 * time.Millisecond, 700 * time.Millisecond, time.Minute} {
		proxy := faultconn.Listen(t, srv.Addr())
		proxy.Delay(delay)
		w := newWard(t, srv.Addr())
		w.client.Addresses = []string{proxy.Addr()}
		start := time.Now()
		out, errs, err := runWith(t, w.openAs, "check")
		t.Logf("with a delay of %s it took %s: %s", delay, time.Since(start), out)
		want := map[bool]int{true: 1, false: 3}[delay < 500*time.Millisecond] // 1: nobody has used the queue
		if code(err) != want || errs != "" || strings.Count(out, "\n") != 1 {
			t.Errorf("delay %s: exit code %d, want %d; %q, %q", delay, code(err), want, out, errs)
		}
	}
}

func TestDoctorAddsWhatTheProgramFinds(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes")
	w := newWard(t, srv.Addr())
	w.findings = func(context.Context) []ops.Finding {
		return []ops.Finding{{Check: "teapot", Result: ops.Pass, Detail: "short"}, {Check: "kettle", Result: ops.Fail, Detail: "dry", Mend: "fill it"}}
	}
	out, errs, err := runWith(t, w.openAs, "doctor")
	if code(err) != 1 || err.Error() != "" {
		t.Errorf("ended with %v", err)
	}
	if want := "PASS\tteapot\tshort\nFAIL\tkettle\tdry\n\t\tmend: fill it\n"; !strings.HasSuffix(out, want) {
		t.Errorf("got %q, want %q at the end", out, want)
	}
	if !strings.HasSuffix(errs, " WARN, 1 FAIL\n") {
		t.Errorf("stderr %q", errs)
	}
	out, _, _ = runWith(t, w.openAs, "doctor", "-o", "json")
	var list []map[string]any
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) < 10 {
		t.Fatalf("%v in %s", err, out)
	}
	for _, f := range list {
		if _, has := f["mend"]; !has || len(f) != 4 {
			t.Errorf("keys of %v", f)
		}
	}
	_, _, err = runWith(t, func() (ops.Desk, error) { return ops.Desk{}, errors.New("no configuration") }, "doctor")
	if err == nil || err.Error() != "no configuration" {
		t.Errorf("without a configuration: %v", err)
	}
}
