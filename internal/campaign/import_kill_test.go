package campaign

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestImportListKilled kills orderq import-list five times at random, and the queue's
// Redis once, while the old system goes on pushing. Everything pushed must be in the
// queue, or a dead letter, once, byte for byte and in its order.
func TestImportListKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for name, tail := range map[string]bool{"head": false, "tail": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := seed(t)
			m := newMover(t, setup{
				Durability: "fsync", RedisArgs: []string{"--appendonly", "yes", "--appendfsync", "always"},
			}, tail, imported(t), "--rate", "0")
			first := len(m.items) / 2
			for part := range slices.Chunk(m.items[:first], 1000) {
				if err := m.push(part); err != nil {
					t.Fatal(err)
				}
			}
			pushed := m.pushWhile(first, seed, 10*time.Millisecond)
			kills, again := m.killAtRandom(rand.New(rand.NewPCG(seed, 1)), 5)
			if err := <-pushed; err != nil {
				t.Fatal(err)
			}
			again += m.runToTheEnd()
			if n := m.removed(); n != len(m.items) {
				t.Errorf("%d items were removed, want %d", n, len(m.items))
			}
			m.judge()
			report(t, "import-list, seed %d: %d items from the %s, %d kills, %d other ends, 1 kill of Redis", seed, len(m.items), name, kills, again)
		})
	}
}

// killAtRandom strikes at moments that lie anywhere between the first item and the
// last. Before the first Redis dies, too, under the running program.
func (m *mover) killAtRandom(random *rand.Rand, kills int) (done, ended int) {
	m.t.Helper()
	for k := range kills {
		from := len(m.items) * (k + 1) / (kills + 3)
		upTo := from + random.IntN(len(m.items)/(kills+3))
		ended += m.reach(upTo)
		if k == 0 { // half of the items is in the list, so the program has not ended
			m.redis.Kill()
			m.redis.Restart()
		}
		<-time.After(time.Duration(random.IntN(6000)) * time.Microsecond) // anywhere in a batch
		if m.process.running() {
			m.process.kill()
			done++
		}
	}
	return done, ended
}

// reach runs the program, again if it ends because the list is empty, until so many
// items are removed. It gives how often it ended.
func (m *mover) reach(items int) (ended int) {
	m.t.Helper()
	m.process.start()
	deadline := time.After(5 * time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for m.removed() < items {
		select {
		case <-deadline:
			m.t.Fatalf("%d items removed, want %d", m.removed(), items)
		case <-tick.C:
		}
		if !m.process.running() {
			m.endedWell()
			ended++
			m.process.start()
		}
	}
	return ended
}

// runToTheEnd runs the program until the list is empty.
func (m *mover) runToTheEnd() (ended int) {
	m.t.Helper()
	for m.process.running() || m.old.CLI("EXISTS", movedList) == "1" {
		m.process.start()
		select {
		case <-m.process.gone:
			m.endedWell()
			ended++
		case <-time.After(5 * time.Minute):
			m.t.Fatal("the import does not end")
		}
	}
	return ended
}

// endedWell expects that it ended by itself, because the list is empty.
func (m *mover) endedWell() {
	m.t.Helper()
	if code := m.process.cmd.ProcessState.ExitCode(); code != 0 {
		said, _ := os.ReadFile(m.process.log)
		m.t.Fatalf("ended with %d:\n%s", code, said)
	}
}

// TestImportListJudge shows that the judge of these tests finds what they look for.
func TestImportListJudge(t *testing.T) {
	want := []string{"a", "b", "b", "c"}
	for name, got := range map[string]string{"lost": "a b c", "twice": "a b b c c", "order": "b a b c", "bytes": "a b b C"} {
		if unequal(want, strings.Fields(got)) == "" {
			t.Errorf("%s is not found", name)
		}
	}
	if diff := unequal(want, slices.Clone(want)); diff != "" {
		t.Error(diff)
	}
}

// TestImportListThroughput measures a long list; it wants ORDERQ_TEST_IMPORT.
func TestImportListThroughput(t *testing.T) {
	if os.Getenv("ORDERQ_TEST_IMPORT") == "" {
		t.Skip("ORDERQ_TEST_IMPORT says how many items")
	}
	m := newMover(t, setup{RedisArgs: []string{"--slowlog-log-slower-than", "100", "--slowlog-max-len", "1000000"}}, false, imported(t), "--rate", "0")
	m.old.CLI("CONFIG", "SET", "slowlog-log-slower-than", "100")
	m.old.CLI("CONFIG", "SET", "slowlog-max-len", "1000000")
	for part := range slices.Chunk(m.items, 1000) {
		if err := m.push(part); err != nil {
			t.Fatal(err)
		}
	}
	m.process.start()
	m.runToTheEnd()
	m.judge()
	r := m.said()
	report(t, "import-list of %d items: %.1f s, %d/s; longest script: the list's server %v, the queue's %v",
		len(m.items), r.Seconds, r.PerSecond, longest(t, m.old), longest(t, m.redis))
}
