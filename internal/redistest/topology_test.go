package redistest

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFailover(t *testing.T) {
	t.Parallel()
	r := StartReplicated(t, 2, 3)
	first := r.Master()
	first.CLI("SET", "kept", "yes")
	if got := first.CLI("WAIT", "2", "5000"); got != "2" {
		t.Fatalf("%s of 2 replicas have the write", got)
	}
	for round := range 2 {
		dead := r.KillMaster()
		promoted := r.Master()
		if promoted == dead {
			t.Fatalf("round %d: the dead master was named again", round)
		}
		if got := promoted.CLI("GET", "kept"); got != "yes" {
			t.Errorf("round %d: the promoted replica has %q", round, got)
		}
		r.Rejoin(dead)
		if got := dead.CLI("GET", "kept"); got != "yes" {
			t.Errorf("round %d: the rejoined replica has %q", round, got)
		}
		if got := promoted.CLI("WAIT", "2", "1"); got != "2" {
			t.Errorf("round %d: %s replicas follow the new master", round, got)
		}
	}
}

// What a master writes after the cut dies with it.
func TestCutReplicas(t *testing.T) {
	t.Parallel()
	r := StartReplicated(t, 1, 1)
	r.CutReplicas(1)
	r.Master().CLI("SET", "late", "yes")
	dead := r.KillMaster()
	if dead == r.Master() {
		t.Error("nothing was promoted")
	}
	if got := r.Master().CLI("EXISTS", "late"); got != "0" {
		t.Error("a write that came after the cut outlived the failover")
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 3)
	if n := len(c.Addrs()); n != 3 {
		t.Fatalf("%d nodes", n)
	}
	owners := map[*Server]bool{}
	for i := range 30 {
		key := fmt.Sprintf("key-%d", i)
		owner := c.Owner(key)
		owners[owner] = true
		if got := owner.CLI("SET", key, "x"); got != "OK" {
			t.Errorf("%s: %s", key, got)
		}
	}
	if len(owners) != 3 {
		t.Errorf("30 keys lie on %d nodes", len(owners))
	}
}

func TestShiftClock(t *testing.T) {
	t.Parallel()
	s := StartWithClock(t)
	for _, shift := range []time.Duration{0, time.Hour, -time.Hour, 1500 * time.Millisecond, -time.Microsecond, 0} {
		s.ShiftClock(shift)
		before := time.Now()
		seconds, micros, _ := strings.Cut(s.CLI("TIME"), "\n")
		after := time.Now()
		got := time.Unix(number(t, seconds), number(t, micros)*1000).Add(-shift)
		// Redis keeps the time of its present round of events: it may be a little old.
		if got.Before(before.Add(-time.Second)) || got.After(after) {
			t.Errorf("shifted by %v: the clock is off by %v", shift, got.Sub(before))
		}
	}
	s.ShiftClock(time.Hour)
	s.Restart()
	seconds, _, _ := strings.Cut(s.CLI("TIME"), "\n")
	if ahead := time.Until(time.Unix(number(t, seconds), 0)); ahead < time.Hour-2*time.Second {
		t.Errorf("after a restart the clock is ahead by %v", ahead)
	}
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestClockWithoutCompilerNamesTheCommand(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("there is no cc to hide")
	}
	t.Setenv("PATH", "")
	r := &recorder{TB: t}
	func() {
		defer func() { _ = recover() }()
		StartWithClock(r)
	}()
	if !strings.Contains(r.fatal, "install -y gcc") {
		t.Errorf("said %q", r.fatal)
	}
}

// recorder keeps what a test ends with.
type recorder struct {
	testing.TB
	fatal string
}

func (r *recorder) Fatal(args ...any) {
	r.fatal = fmt.Sprint(args...)
	panic(r)
}
