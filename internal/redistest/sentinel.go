package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// failoverTimeout bounds the wait for a promotion, one failed vote included.
const failoverTimeout = 20 * time.Second

// downAfter is how long a server must not answer to count as dead. Sentinels
// ping once a second: with less than two, one that has just connected to a
// promoted master at times takes it for dead, and promotes another at once.
const downAfter = 2 * time.Second

// startSentinel runs a Sentinel that watches a master. Quorum is how many must
// find the master dead before one of them may promote a replica.
func startSentinel(t testing.TB, master *Server, quorum int) *Server {
	t.Helper()
	dir := t.TempDir()
	// A Sentinel rewrites its file, and refuses to run without one.
	file := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %[2]d %[3]d\n"+
		"sentinel down-after-milliseconds %[1]s %[4]d\n"+
		"sentinel failover-timeout %[1]s 3000\n"+
		"sentinel parallel-syncs %[1]s 8\n", MasterName, master.p.port, quorum, downAfter.Milliseconds())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return serve(t, &process{dir: dir, first: []string{file, "--sentinel"}})
}

// unwell is a flag of a server that a Sentinel cannot talk to.
var unwell = regexp.MustCompile(`s_down|disconnected`)

// awaitIntroduced waits until every Sentinel knows all the others and all
// replicas, and finds them well. They learn of each other through the master, in about two seconds.
func (r *Replicated) awaitIntroduced() {
	r.t.Helper()
	replicas, others := len(r.servers)-1, len(r.sentinels)-1
	for _, sentinel := range r.sentinels {
		within(r.t, failoverTimeout, sentinel.Addr()+" knows everybody", func() bool {
			info := pairs(sentinel.CLI("SENTINEL", "MASTER", MasterName))
			return info["num-slaves"] == strconv.Itoa(replicas) && info["num-other-sentinels"] == strconv.Itoa(others) &&
				info["flags"] == "master" && !unwell.MatchString(sentinel.CLI("SENTINEL", "REPLICAS", MasterName))
		})
	}
}

// pairs reads names and values that follow each other, one a line.
func pairs(text string) map[string]string {
	m := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		m[lines[i]] = lines[i+1]
	}
	return m
}
