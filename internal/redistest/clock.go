package redistest

import (
	_ "embed"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// clockSource is the library that moves a server's wall clock.
//
//go:embed testdata/clock.c
var clockSource []byte

// Clock is how far a wall clock is off, in a file that a program has mapped: an
// 8-byte integer of microseconds in the machine's byte order.
type Clock struct {
	t    testing.TB
	file string
}

// NewClock makes the file, for a clock that is right.
func NewClock(t testing.TB, file string) *Clock {
	t.Helper()
	c := &Clock{t: t, file: file}
	c.Shift(0)
	return c
}

// File is the file's name.
func (c *Clock) File() string { return c.file }

// Shift sets the clock ahead of the machine's by d, behind it if d is negative;
// 0 sets it right. It takes effect at once.
func (c *Clock) Shift(d time.Duration) {
	c.t.Helper()
	// Written in place: a file made anew would not be the mapped one.
	f, err := os.OpenFile(c.file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatalf("shift the clock: %v", err)
	}
	defer f.Close()
	if _, err := f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(d.Microseconds())), 0); err != nil {
		c.t.Fatalf("shift the clock: %v", err)
	}
}

// StartWithClock is [Start] for a server whose wall clock [Server.ShiftClock]
// moves. It needs Linux, where alone the trick works (elsewhere the test is
// skipped), and a C compiler, cc.
func StartWithClock(t testing.TB, args ...string) *Server {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("moving the clock of one process needs Linux")
	}
	dir := t.TempDir()
	library, clock := buildClock(t, dir), NewClock(t, filepath.Join(dir, "clock.offset"))
	s := serve(t, &process{dir: dir, args: args, env: []string{"LD_PRELOAD=" + library, "REDISTEST_CLOCK=" + clock.File()}})
	s.clock = clock
	return s
}

// ShiftClock sets the server's wall clock as [Clock.Shift] does. Monotonic clocks
// stay as they are; a restart keeps the shift.
func (s *Server) ShiftClock(d time.Duration) {
	s.t.Helper()
	if s.clock == nil {
		s.t.Fatal("ShiftClock needs a server of StartWithClock")
	}
	s.clock.Shift(d)
}

// buildClock compiles the library into the directory.
func buildClock(t testing.TB, dir string) string {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Fatal("cc is not on the PATH; install it with: sudo apt-get install -y gcc libc6-dev")
	}
	source, library := filepath.Join(dir, "clock.c"), filepath.Join(dir, "clock.so")
	if err := os.WriteFile(source, clockSource, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("cc", "-shared", "-fPIC", "-O2", "-o", library, source).CombinedOutput()
	if err != nil {
		t.Fatalf("compile clock.c: %v\n%s", err, out)
	}
	return library
}
