package redistest

import (
	"strconv"
	"strings"
	"testing"
)

// slots is how many a cluster has.
const slots = 16384

// Cluster is a Redis Cluster of masters without replicas.
type Cluster struct {
	t     testing.TB
	nodes []*Server
}

// StartCluster runs a cluster of so many masters, each with an equal share of
// the slots, and waits until every node says that the cluster is up. Args are
// added to each node's command line. All end with the test.
func StartCluster(t testing.TB, masters int, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	args = append([]string{"--cluster-node-timeout", "2000"}, args...)
	for i := range masters {
		node := serve(t, &process{dir: t.TempDir(), cluster: true, args: args})
		node.CLI("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(slots*i/masters), strconv.Itoa(slots*(i+1)/masters-1))
		// Else all nodes begin with epoch 0 and agree on different ones only later.
		node.CLI("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		c.nodes = append(c.nodes, node)
	}
	first := c.nodes[0].p
	for _, node := range c.nodes[1:] {
		node.CLI("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(first.port), strconv.Itoa(first.bus))
	}
	for _, node := range c.nodes {
		Eventually(t, node.Addr()+" sees the cluster up", func() bool {
			info := node.CLI("CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") &&
				strings.Contains(info, "cluster_known_nodes:"+strconv.Itoa(masters)+"\r")
		})
	}
	return c
}

// Addrs is where the nodes listen.
func (c *Cluster) Addrs() []string { return addrs(c.nodes) }

// Owner is the node that holds a key's slot.
func (c *Cluster) Owner(key string) *Server {
	c.t.Helper()
	slot, err := strconv.Atoi(c.nodes[0].CLI("CLUSTER", "KEYSLOT", key))
	if err != nil {
		c.t.Fatalf("slot of %s: %v", key, err)
	}
	// Node i begins at slots*i/masters, rounded down.
	for i := len(c.nodes) - 1; ; i-- {
		if slot >= slots*i/len(c.nodes) {
			return c.nodes[i]
		}
	}
}

func addrs(servers []*Server) []string {
	all := make([]string, len(servers))
	for i, s := range servers {
		all[i] = s.Addr()
	}
	return all
}
