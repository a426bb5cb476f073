package streamutil_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func (h *harness) examine() streamutil.Examination {
	h.t.Helper()
	e, err := h.q.Examine(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func TestExamine(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes", "--save", "3600 1", "--slowlog-log-slower-than", "0", "--maxmemory", "100mb", "--slowlog-max-len", "1000")
	h := harnessOn(t, srv, streamutil.ClientConfig{}, streamutil.QueueConfig{LogMax: 50})
	h.submit("A")
	h.register("w")
	h.take("w", 1, 1)

	e := h.examine()
	if !e.Server.Known || !strings.Contains(e.Server.Version, ".") || e.Server.Clients < 1 || e.Server.MaxClients < 1 || e.Server.Cluster {
		t.Errorf("server: %+v", e.Server)
	}
	if want := (streamutil.PersistenceFacts{AOF: true, Fsync: "everysec", Snapshots: "3600 1", WriteStatus: "ok", RewriteStatus: "ok", SaveStatus: "ok"}); e.Persistence != want {
		t.Errorf("persistence: %+v, want %+v", e.Persistence, want)
	}
	if m := e.Memory; m.Used == 0 || m.Max != 100<<20 || m.Policy != "noeviction" {
		t.Errorf("memory: %+v", m)
	}
	if r := e.Replication; r.Replica || len(r.Replicas) != 0 || r.MinReplicas != 0 {
		t.Errorf("replication: %+v", r)
	}
	if a := e.Access; a.User != "default" || a.Missing != nil || a.MissingKeys != nil {
		t.Errorf("access: %+v", a)
	}
	if q := e.Queue; q.MaxBacklog != 1_000_000 || q.LogMax != 50 || len(q.Dangling) != 0 {
		t.Errorf("queue: %+v", q)
	}
	if len(e.Latency) == 0 || !slices.IsSorted(e.Latency) || e.Latency[0] <= 0 {
		t.Errorf("latency: %v", e.Latency)
	}
	if e.Ahead.Abs() > time.Second {
		t.Errorf("the same machine's clock is %v apart", e.Ahead)
	}
	if !slices.ContainsFunc(e.Slow, func(c streamutil.SlowCall) bool {
		return c.What == "take.lua" && c.Took > 0 && time.Since(c.At) < time.Hour
	}) {
		t.Errorf("slow calls lack take.lua: %+v", e.Slow)
	}
	if host, port, _ := strings.Cut(srv.Addr(), ":"); e.CLI != "redis-cli -h "+host+" -p "+port || e.Unseen != nil {
		t.Errorf("%q, unseen %q", e.CLI, e.Unseen)
	}

	h.redis("HDEL", "%consumers", "w")
	h.redis("XADD", "%log", "1-0", "what", "junk")
	if q := h.examine().Queue; q.Dangling["w"] != 1 || q.LogLines == 0 || q.LogSince.IsZero() {
		t.Errorf("after hands in Redis: %+v", q)
	}
}

// TestExamineChangesNothing compares all data before and after, where the server
// can be asked for rights and where they have to be tried.
func TestExamineChangesNothing(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	srv.CLI("ACL", "SETUSER", "w", "on", ">pw", "~*", "+@all", "-acl")
	for _, cc := range []streamutil.ClientConfig{{}, {Username: "w", Password: "pw"}} {
		h := harnessOn(t, srv, cc, streamutil.QueueConfig{})
		h.submit("A")
		h.submit("B")
		h.register("c")
		h.take("c", 1, 1)
		state := func() string {
			return srv.CLI("DEBUG", "DIGEST") + srv.CLI("DBSIZE") + regexp.MustCompile(`number_of_cached_scripts:\d+`).FindString(srv.CLI("INFO", "memory"))
		}
		before := state()
		if a := h.examine().Access; a.Missing != nil || a.MissingKeys != nil {
			t.Errorf("user %q lacks %+v", cc.Username, a)
		}
		if after := state(); after != before {
			t.Errorf("user %q: the examination changed something: %s, then %s", cc.Username, before, after)
		}
		if cc.Username != "" && !strings.HasSuffix(h.examine().CLI, " --askpass") {
			t.Errorf("redis-cli needs a password: %q", h.examine().CLI)
		}
	}
}

// TestRightsThatAreNeeded gives a user exactly the rights that an examination
// misses, and nothing else: with them all that there is to do can be done. Each
// is one that some script uses, and the other way round.
func TestRightsThatAreNeeded(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	connect := []string{"+hello", "+auth"}
	user := func(rights ...string) {
		srv.CLI(append([]string{"ACL", "SETUSER", "w", "reset", "on", ">pw", "~orderq:*"}, rights...)...)
	}
	user(append(connect, "+acl|dryrun")...)
	h := harnessOn(t, srv, streamutil.ClientConfig{Username: "w", Password: "pw"}, streamutil.QueueConfig{})
	asked := h.examine().Access.Missing
	user(connect...)
	tried := h.examine().Access.Missing
	if !slices.Equal(asked, tried) || len(asked) < 30 {
		t.Fatalf("asked for, the server names %q; tried, these fail: %q", asked, tried)
	}
	for _, command := range commandsOfScripts(t) {
		if !slices.Contains(asked, command) {
			t.Errorf("a script uses %s, and nobody asks for the right to", command)
		}
	}

	for _, command := range asked {
		connect = append(connect, "+"+command)
	}
	user(connect...)
	h.everyScript()
	ctx := t.Context()
	_, errLetters := h.q.DeadLetters(ctx, streamutil.EntryID{}, 10)
	_, errPending := h.q.Pending(ctx, "", streamutil.EntryID{}, 10)
	_, errInspect := h.q.Inspect(ctx)
	for what, err := range map[string]error{"letters": errLetters, "pending": errPending, "inspect": errInspect} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// commandsOfScripts are those in the Lua files, as ACL names them.
func commandsOfScripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("scripts/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: %d, %v", len(files), err)
	}
	call := regexp.MustCompile(`redis\.p?call\(\s*'([A-Z]+)'(?:,\s*'([A-Z]+)')?`)
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			command := strings.ToLower(m[1])
			if command == "xgroup" || command == "xinfo" {
				command += "|" + strings.ToLower(m[2])
			}
			all = append(all, command)
		}
	}
	return all
}

func TestExamineWithoutRightsOrRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	srv.CLI("ACL", "SETUSER", "w", "on", ">pw", "+hello", "+auth")
	h := harnessOn(t, srv, streamutil.ClientConfig{Username: "w", Password: "pw"}, streamutil.QueueConfig{})
	e := h.examine()
	if e.Server.Known || e.Replication.MinReplicas != -1 || !slices.Contains(e.Unseen, "INFO") || !slices.Contains(e.Unseen, "CONFIG GET") {
		t.Errorf("unseen %q of %+v", e.Unseen, e)
	}
	srv.Kill()
	if _, err := h.q.Examine(t.Context()); streamutil.ErrorKind(err) == "" {
		t.Errorf("without a server: %v", err)
	}
}

// TestExamineAsksTheQueuesNode gives each node of a cluster another maxmemory,
// and takes a right away on one.
func TestExamineAsksTheQueuesNode(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3)
	names := map[string]string{} // a queue of each node, by its address
	for len(names) < 3 {
		name := redistest.QueueName(t)
		srv := cluster.Owner("orderq:{" + name + "}:stream")
		names[srv.Addr()] = name
		srv.CLI("CONFIG", "SET", "maxmemory", "1"+srv.Addr()[len("127.0.0.1:"):]+"000")
		for user, right := range map[string]string{"asks": "+acl", "tries": "-acl"} {
			srv.CLI("ACL", "SETUSER", user, "on", ">pw", "~*", "+@all", right)
		}
	}
	for i, addr := range cluster.Addrs() {
		if i == 0 {
			for _, user := range []string{"asks", "tries"} {
				cluster.Owner("orderq:{"+names[addr]+"}:stream").CLI("ACL", "SETUSER", user, "-xadd")
			}
		}
		for _, user := range []string{"asks", "tries"} {
			client := streamutil.NewClient(streamutil.ClientConfig{Addresses: cluster.Addrs()[:1], Username: user, Password: "pw"})
			t.Cleanup(client.Close)
			q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: names[addr]})
			if err != nil {
				t.Fatal(err)
			}
			e, err := q.Examine(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := "1" + addr[len("127.0.0.1:"):] + "000"; strconv.FormatInt(e.Memory.Max, 10) != want || !e.Server.Cluster {
				t.Errorf("%s: node %s with %s was asked, not the one with %s: %+v", user, addr, strconv.FormatInt(e.Memory.Max, 10), want, e.Server)
			}
			if missing := slices.Contains(e.Access.Missing, "xadd"); missing != (i == 0) || len(e.Access.Missing) > 1 {
				t.Errorf("%s: node %d: missing %q", user, i, e.Access.Missing)
			}
		}
	}
}
