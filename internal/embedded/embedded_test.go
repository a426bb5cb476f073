package embedded_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"orderq/internal/embedded"
	"orderq/internal/redistest"
)

func TestMain(m *testing.M) {
	code := redistest.Run(m)
	if err := goleak.Find(); code == 0 && err != nil {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// connect gives a client set up as streamutil's is: RESP3 and no client cache.
func connect(t *testing.T) rueidis.Client {
	t.Helper()
	s, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.Addr()}, DisableCache: true, DisableRetry: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func do(t *testing.T, c rueidis.Client, args ...string) rueidis.RedisResult {
	t.Helper()
	return c.Do(t.Context(), c.B().Arbitrary(args...).Build())
}

func text(t *testing.T, c rueidis.Client, args ...string) string {
	t.Helper()
	s, err := do(t, c, args...).ToString()
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return s
}

const flagged = "#!lua flags=allow-oom\nreturn 'ran ' .. ARGV[1]"

func TestFlaggedScriptRuns(t *testing.T) {
	c := connect(t)
	script := rueidis.NewLuaScript(flagged)
	for _, arg := range []string{"first, by EVAL", "again, by EVALSHA"} {
		got, err := script.Exec(t.Context(), c, nil, []string{arg}).ToString()
		if err != nil || got != "ran "+arg {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

func TestScriptLoadAnswersWithTheClientsSHA(t *testing.T) {
	c := connect(t)
	sha := text(t, c, "SCRIPT", "LOAD", flagged)
	if len(sha) != 40 {
		t.Fatalf("SCRIPT LOAD gave %q", sha)
	}
	if got := text(t, c, "EVALSHA", strings.ToUpper(sha), "0", "loaded"); got != "ran loaded" {
		t.Errorf("got %q", got)
	}
	known, err := do(t, c, "SCRIPT", "EXISTS", sha, strings.Repeat("0", 40)).AsIntSlice()
	if err != nil || len(known) != 2 || known[0] != 1 || known[1] != 0 {
		t.Errorf("SCRIPT EXISTS gave %v, %v", known, err)
	}
	if err := do(t, c, "SCRIPT", "LOAD", "#!lua\nthis is no Lua").Error(); err == nil {
		t.Error("a broken script was loaded")
	}
	text(t, c, "SCRIPT", "FLUSH")
	if err := do(t, c, "EVALSHA", sha, "0", "x").Error(); err == nil || !strings.HasPrefix(err.Error(), "NOSCRIPT") {
		t.Errorf("after SCRIPT FLUSH: %v, want NOSCRIPT", err)
	}
}

func TestIdentityIsSeenFromScripts(t *testing.T) {
	ask := `return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') .. ' ' ..
		string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')`
	c := connect(t)
	first := text(t, c, "EVAL", ask, "0")
	if !regexp.MustCompile(`^[0-9a-f]{40} [0-9a-f]{40}$`).MatchString(first) {
		t.Errorf("identity is %q", first)
	}
	if again := text(t, c, "EVAL", ask, "0"); again != first {
		t.Errorf("identity moved from %q to %q", first, again)
	}
	if other := text(t, connect(t), "EVAL", ask, "0"); other == first {
		t.Error("two servers have one identity")
	}
}

func TestTimeRuns(t *testing.T) {
	c := connect(t)
	text(t, c, "SET", "key", "value", "PX", "30")
	redistest.Eventually(t, "the key expires", func() bool {
		n, err := do(t, c, "EXISTS", "key").ToInt64()
		return err == nil && n == 0
	})
	now, err := do(t, c, "TIME").AsIntSlice()
	if err != nil || len(now) != 2 || time.Since(time.Unix(now[0], 0)).Abs() > time.Minute {
		t.Errorf("TIME gave %v, %v", now, err)
	}
}

func TestExclusiveStartInXPending(t *testing.T) {
	c := connect(t)
	text(t, c, "XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
	for _, id := range []string{"1-1", "1-2", "2-0"} {
		text(t, c, "XADD", "s", id, "f", "v")
	}
	if err := do(t, c, "XREADGROUP", "GROUP", "g", "me", "STREAMS", "s", ">").Error(); err != nil {
		t.Fatal(err)
	}
	for start, want := range map[string]int{"(1-1": 2, "(1-2": 1, "1-1": 3, "-": 3, "(2-0": 0} {
		got, err := do(t, c, "XPENDING", "s", "g", start, "+", "10").ToArray()
		if err != nil || len(got) != want {
			t.Errorf("from %s: %d entries, %v; want %d", start, len(got), err, want)
		}
	}
}

func TestBusyPortIsAnError(t *testing.T) {
	s, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := embedded.Start(s.Addr()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	s.Close() // twice is allowed
}
