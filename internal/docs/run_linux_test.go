package docs

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// programs is the folder of the program just built, which is the first of the
// blocks' PATH.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "orderq-docs-")
	if err != nil {
		panic(err)
	}
	programs = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// TestBlocks runs the blocks of all documents. Those that go on with one another
// run one after the other; all else side by side.
func TestBlocks(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs a real redis-server")
	}
	out, err := exec.Command("go", "build", "-o", programs, "../../cmd/orderq").CombinedOutput()
	if err != nil {
		t.Fatalf("build orderq: %v\n%s", err, out)
	}
	ran := 0
	for _, name := range documents(t) {
		all := blocks(t, name)
		ran += len(all)
		for len(all) > 0 {
			count := 1
			for count < len(all) && slices.Contains(all[count].words, "on") {
				count++
			}
			together := all[:count]
			all = all[count:]
			t.Run(together[0].at, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, !slices.Contains(together[0].words, "bare"))
				for _, b := range together {
					w.run(t, b)
				}
			})
		}
	}
	if ran == 0 {
		t.Error("no document has a block to run")
	}
}

// run is one block: what it asks for is started, its commands must succeed, and
// print what the document says.
func (w *world) run(t *testing.T, b block) {
	t.Helper()
	for _, word := range b.words {
		switch word {
		case "producer":
			w.startProducer(t)
		case "consumer":
			w.startConsumer(t)
		}
	}
	printed, err := w.bash(t, b.script)
	if err != nil {
		t.Fatalf("%s: %v\n%s\nprinted\n%s", b.at, err, b.script, printed)
	}
	if b.prints != nil && !agrees(b.prints, printed) {
		t.Errorf("%s: the commands print something else than the document says\n%s\nprinted\n%s", b.at, b.script, printed)
	}
}
