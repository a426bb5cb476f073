package redistest

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// MasterName is what the Sentinels of a [Replicated] call their master.
const MasterName = "orderq"

// Replicated is a master with replicas, and Sentinels that promote one of them
// when it dies. Its methods end the test when they fail.
type Replicated struct {
	t         testing.TB
	servers   []*Server
	sentinels []*Server
}

// StartReplicated runs a master, its replicas and the Sentinels, and waits
// until all of them know each other. A master that does not answer for two
// seconds counts as dead once most Sentinels say so. Args are added to the
// command line of the master and of every replica. All end with the test.
func StartReplicated(t testing.TB, replicas, sentinels int, args ...string) *Replicated {
	t.Helper()
	r := &Replicated{t: t}
	// A replica waits five seconds for others to join it, by default.
	args = append([]string{"--repl-diskless-sync-delay", "0"}, args...)
	master := Start(t, args...)
	r.servers = append(r.servers, master)
	for range replicas {
		s := serve(t, &process{dir: t.TempDir(), args: args, follows: replicaOf(master)})
		r.servers = append(r.servers, s)
		r.awaitSynced(s, master)
	}
	for range sentinels {
		r.sentinels = append(r.sentinels, startSentinel(t, master, sentinels/2+1))
	}
	r.awaitIntroduced()
	return r
}

func replicaOf(master *Server) []string {
	return []string{"--replicaof", "127.0.0.1", strconv.Itoa(master.p.port)}
}

// awaitSynced waits until a replica has its master's data and follows it, and has
// told its master so for the first time: until then it does not count for WAIT.
func (r *Replicated) awaitSynced(s, master *Server) {
	r.t.Helper()
	told := regexp.MustCompile(fmt.Sprintf(`port=%d,state=online,offset=[1-9]`, s.p.port))
	Eventually(r.t, s.Addr()+" is a replica in step", func() bool {
		master.CLI("PUBLISH", "redistest", "something to have received, that leaves no key")
		return strings.Contains(s.CLI("INFO", "replication"), "master_link_status:up") &&
			told.MatchString(master.CLI("INFO", "replication"))
	})
}

// SentinelAddrs is where the Sentinels listen.
func (r *Replicated) SentinelAddrs() []string { return addrs(r.sentinels) }

// Servers are the master and the replicas, whichever is which now.
func (r *Replicated) Servers() []*Server { return slices.Clone(r.servers) }

// Master is the server that the first Sentinel names as the master.
func (r *Replicated) Master() *Server {
	r.t.Helper()
	addr := r.named(r.sentinels[0])
	i := slices.IndexFunc(r.servers, func(s *Server) bool { return s.Addr() == addr })
	if i < 0 {
		r.t.Fatalf("the Sentinel names %q as the master, which is none of ours", addr)
	}
	return r.servers[i]
}

// named is the master as a Sentinel knows it.
func (r *Replicated) named(sentinel *Server) string {
	r.t.Helper()
	host, port, _ := strings.Cut(sentinel.CLI("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName), "\n")
	return net.JoinHostPort(host, port)
}

// KillMaster ends the master as kill -9 does, lets replicas that were cut off
// go on, and gives the dead server back once another one was promoted and every
// Sentinel says so.
func (r *Replicated) KillMaster() *Server {
	r.t.Helper()
	dead := r.Master()
	dead.Kill()
	for _, s := range r.servers {
		if s != dead && s.p.running() {
			s.Continue()
		}
	}
	r.awaitPromotion(dead)
	return dead
}

func (r *Replicated) awaitPromotion(dead *Server) {
	r.t.Helper()
	for _, sentinel := range r.sentinels {
		within(r.t, failoverTimeout, "another master is named by "+sentinel.Addr(), func() bool {
			return r.named(sentinel) != dead.Addr()
		})
	}
	master := r.Master()
	Eventually(r.t, master.Addr()+" is the master", func() bool { return master.CLI("ROLE")[:6] == "master" })
}

// Rejoin runs a dead server again, as a replica of the present master, and
// waits until all replicas are in step and the Sentinels find them well. It has lost its data, as a Redis
// without persistence does: here only the others' count.
func (r *Replicated) Rejoin(s *Server) {
	r.t.Helper()
	master := r.Master()
	s.p.follows = replicaOf(master)
	s.Restart()
	for _, replica := range r.servers {
		if replica != master {
			r.awaitSynced(replica, master)
		}
	}
	r.awaitIntroduced()
}

// CutReplicas cuts n replicas off: nothing of what the master writes from now
// on reaches them, not even through the kernel's buffers. They are frozen until
// [Replicated.KillMaster].
func (r *Replicated) CutReplicas(n int) {
	r.t.Helper()
	master := r.Master()
	for _, s := range r.servers {
		if s == master || !s.p.running() || n == 0 {
			continue
		}
		s.Stop()
		n--
	}
	// A replica that still runs connects again at once and goes on.
	master.CLI("CLIENT", "KILL", "TYPE", "replica")
}
