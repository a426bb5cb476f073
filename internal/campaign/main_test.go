package campaign

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"orderq/internal/redistest"
)

// binary is the program under test, built for the first test that wants it.
var binary struct {
	once sync.Once
	dir  string
	err  error
}

// inParallel is how many tests run at once, whatever the number of CPUs: they
// mostly wait for processes that wait.
const inParallel = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", inParallel); err != nil {
		panic(err)
	}
	code := redistest.Run(m)
	if binary.dir != "" {
		_ = os.RemoveAll(binary.dir)
	}
	// A cluster's client looks at its nodes for five seconds after it was closed, and
	// waits up to a second before it looks.
	refresh := goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient)._refresh.func2")
	delay := goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1")
	if err := goleak.Find(refresh, delay); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// orderq builds the program as users get it, without the race detector even
// where the tests run with it, and gives its path.
func orderq(t *testing.T) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "orderq-build-"); binary.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", binary.dir, "orderq/cmd/orderq").CombinedOutput()
		if err != nil {
			binary.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatalf("build orderq: %v", binary.err)
	}
	return filepath.Join(binary.dir, "orderq")
}
