package redistest

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// shared is the one server of this test process, started by the first Shared.
var shared struct {
	sync.Mutex
	p   *process
	dir string
}

// Shared gives the one server that the tests of this process use together, and
// starts it for the first of them. Do not kill it or change its settings; keep
// to keys that contain [QueueName]. It dies with the process on Linux; call
// [Run] from TestMain to end it, and remove its directory, everywhere.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.p == nil {
		dir, err := os.MkdirTemp("", "redistest-")
		if err != nil {
			t.Fatalf("make a directory for the shared Redis: %v", err)
		}
		p, err := startProcess(dir, nil)
		if err != nil {
			_ = os.RemoveAll(dir)
			t.Fatalf("start the shared Redis: %v", err)
		}
		shared.p, shared.dir = p, dir
	}
	return &Server{t: t, p: shared.p}
}

// Run runs the tests of a package and then ends its shared server. Use it as
//
//	func TestMain(m *testing.M) { os.Exit(redistest.Run(m)) }
func Run(m interface{ Run() int }) int {
	defer Close()
	return m.Run()
}

// Close ends the shared server, if there is one. Run does it; a TestMain of
// another shape calls it after the last test.
func Close() {
	shared.Lock()
	defer shared.Unlock()
	if shared.p == nil {
		return
	}
	_ = shared.p.kill()
	_ = os.RemoveAll(shared.dir)
	shared.p = nil
}

var queues atomic.Int64

// QueueName gives a queue name that no other call in this process gets: the
// test's name, cut to fit, and a number.
func QueueName(t testing.TB) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		default:
			return '_'
		}
	}, strings.ToLower(t.Name()))
	return clean[:min(len(clean), 48)] + "-" + strconv.FormatInt(queues.Add(1), 10)
}
