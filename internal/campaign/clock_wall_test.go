package campaign

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
)

// TestWallClockJumps moves the wall clock of producer and consumers, as
// TestClockJumps moves Redis's. A Go program asks the kernel's page for the time
// and no library could step between, so the program is built with another
// time.Now. That compiles nearly everything anew, a minute or two for the first
// time: it is done only where ORDERQ_TEST_WALL_CLOCK is set.
func TestWallClockJumps(t *testing.T) {
	if os.Getenv("ORDERQ_TEST_WALL_CLOCK") == "" {
		t.Skip("ORDERQ_TEST_WALL_CLOCK=1 runs it; it builds the program with another time.Now first")
	}
	if runtime.GOOS == "windows" {
		t.Skip("maps a file as Unix does")
	}
	t.Parallel()
	clock := redistest.NewClock(t, filepath.Join(t.TempDir(), "offset"))
	c := setup{Binary: buildWithClock(t), Env: []string{"ORDERQ_TEST_CLOCK=" + clock.File()}}
	// A date, by the partner's clock, which the partner's answer tells as well.
	retryAfter := func() string { return time.Now().Add(waits).UTC().Format(http.TimeFormat) }
	s := jumpClock(t, "The program's own clock", c, retryAfter, clock.Shift)
	early, late := stamps(t, s.consumers)
	if span := late.Sub(early); span < 2*time.Hour {
		t.Errorf("the consumers logged times from %v to %v: their clock did not jump both ways", early, late)
	}
}

// stamps gives the earliest and the latest time that the processes logged.
func stamps(t *testing.T, processes []*process) (early, late time.Time) {
	t.Helper()
	for _, p := range processes {
		said, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(said) {
			var l struct{ TS time.Time }
			if err := json.Unmarshal(line, &l); err != nil {
				t.Fatalf("%s logged %q: %v", p.name, line, err)
			}
			if early.IsZero() || l.TS.Before(early) {
				early = l.TS
			}
			if l.TS.After(late) {
				late = l.TS
			}
		}
	}
	return early, late
}

// buildWithClock builds the program with a time.Now that adds what
// testdata/wallclock.go finds in a file.
func buildWithClock(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	timeDir, mainDir := packageDir(t, "time"), packageDir(t, "orderq/cmd/orderq")
	source, err := os.ReadFile(filepath.Join(timeDir, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const reading = "\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), reading) != 1 {
		t.Fatalf("this Go's time.Now reads the clock in another way than %q: adapt the test", reading)
	}
	changed := strings.Replace(string(source), reading,
		reading+"\tif wallShift != nil {\n\t\tsec += *wallShift / 1e6\n\t}\n", 1) +
		"\n//go:linkname wallShift\nvar wallShift *int64\n"
	timeFile := filepath.Join(dir, "time.go")
	write(t, timeFile, []byte(changed))
	shift, err := filepath.Abs(filepath.Join("testdata", "wallclock.go"))
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(timeDir, "time.go"):           timeFile,
		filepath.Join(mainDir, "test_wallclock.go"): shift,
	}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), overlay)
	file := filepath.Join(dir, "orderq")
	out, err := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", file, "orderq/cmd/orderq").CombinedOutput()
	if err != nil {
		t.Fatalf("build orderq with another time.Now: %v\n%s", err, out)
	}
	return file
}

func packageDir(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", name).Output()
	if err != nil {
		t.Fatalf("find package %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
