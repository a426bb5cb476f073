package redistest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// The ports that are given lie below those that Linux (32768) and macOS (49152) use
// for outgoing calls: one of those could be a call's own by the time a server listens
// on it.
const (
	firstPort = 15_000
	lastPort  = 30_000
	portTries = 1000
)

var givenPorts sync.Map

// FreeAddress gives a HOST:PORT of this machine that nobody listens on, and gives none
// twice. Test programs that run at once choose the same one seldom: each chooses at
// random.
func FreeAddress(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

func freePort() (int, error) {
	for range portTries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if _, taken := givenPorts.LoadOrStore(port, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port was found")
}
