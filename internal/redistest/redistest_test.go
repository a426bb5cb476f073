package redistest

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func TestStartAnswersAndIsEmpty(t *testing.T) {
	s := Start(t)
	if got := s.CLI("PING"); got != "PONG" {
		t.Errorf("PING gave %q", got)
	}
	if got := s.CLI("DBSIZE"); got != "0" {
		t.Errorf("a new server has %s keys", got)
	}
	if got := s.CLI("CONFIG", "GET", "appendonly"); got != "appendonly\nno" {
		t.Errorf("appendonly: %q", got)
	}
	if s.CLI("DEBUG", "SLEEP", "0") != "OK" {
		t.Error("DEBUG is not allowed")
	}
}

func TestArgumentsWin(t *testing.T) {
	s := Start(t, "--maxmemory", "5mb", "--appendonly", "yes")
	if got := s.CLI("CONFIG", "GET", "maxmemory"); got != "maxmemory\n5242880" {
		t.Errorf("got %q", got)
	}
	if got := s.CLI("CONFIG", "GET", "appendonly"); got != "appendonly\nyes" {
		t.Errorf("got %q", got)
	}
}

func TestKillAndRestart(t *testing.T) {
	s := Start(t, "--appendonly", "yes", "--appendfsync", "always")
	addr, pid := s.Addr(), s.PID()
	s.CLI("SET", "kept", "yes")
	s.Kill()
	if _, err := s.Do("PING"); err == nil {
		t.Fatal("a killed server answers")
	}
	s.Kill()
	s.Restart()
	if s.Addr() != addr || s.PID() == pid {
		t.Errorf("restarted at %s pid %d, was %s pid %d", s.Addr(), s.PID(), addr, pid)
	}
	if got := s.CLI("GET", "kept"); got != "yes" {
		t.Errorf("after the restart the key is %q", got)
	}
}

func TestStopFreezesUntilContinue(t *testing.T) {
	s := Start(t)
	s.Stop()
	answered := make(chan error, 1)
	go func() {
		_, err := s.Do("PING")
		answered <- err
	}()
	if state := processState(t, s.PID()); state != "T" && state != "" {
		t.Errorf("state of the frozen process is %q", state)
	}
	s.Continue()
	if err := <-answered; err != nil {
		t.Errorf("after Continue: %v", err)
	}
}

func TestRunningTwiceOnOnePortIsNoticed(t *testing.T) {
	s := Start(t)
	second := &process{binary: s.p.binary, dir: t.TempDir(), port: s.p.port}
	if err := second.run(); !errors.Is(err, errPortTaken) {
		t.Errorf("got %v, want %v", err, errPortTaken)
	}
}

func TestBadArgumentSaysWhy(t *testing.T) {
	_, err := startProcess(t.TempDir(), []string{"--no-such-setting", "1"})
	if err == nil || !strings.Contains(err.Error(), "no-such-setting") {
		t.Errorf("got %v", err)
	}
}

func TestMissingBinaryNamesTheCommand(t *testing.T) {
	t.Setenv("ORDERQ_TEST_REDIS_SERVER", "no-such-redis-server")
	_, err := startProcess(t.TempDir(), nil)
	if err == nil || !strings.Contains(err.Error(), "apt-get install -y redis-server") {
		t.Errorf("got %v", err)
	}
}

func TestShared(t *testing.T) {
	a, b := Shared(t), Shared(t)
	if a.Addr() != b.Addr() || a.PID() != b.PID() {
		t.Error("two shared servers")
	}
}

func TestDoReadsEveryKindOfReply(t *testing.T) {
	s := Shared(t)
	script := "return {1, 'two', false, {'three', redis.status_reply('OK')}}"
	if got := s.CLI("EVAL", script, "0"); got != "1\ntwo\n\nthree\nOK" {
		t.Errorf("got %q", got)
	}
	if _, err := s.Do("NO-SUCH-COMMAND"); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("got %v", err)
	}
}

func TestQueueName(t *testing.T) {
	valid := regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
	t.Run("A long NAME, with / and ü: "+strings.Repeat("x", 80), func(t *testing.T) {
		a, b := QueueName(t), QueueName(t)
		if !valid.MatchString(a) || a == b {
			t.Errorf("got %q and %q", a, b)
		}
	})
}

// processState is the one-letter state that ps shows; empty where there is no ps.
func processState(t *testing.T, pid int) string {
	out, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		t.Logf("no ps: %v", err)
		return ""
	}
	return strings.TrimSpace(string(out))
}

func TestEventuallyAsksAgain(t *testing.T) {
	calls := 0
	Eventually(t, "the third call", func() bool { calls++; return calls == 3 })
	if calls != 3 {
		t.Errorf("asked %d times", calls)
	}
}
