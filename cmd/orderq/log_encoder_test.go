package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"orderq/internal/redistest"
)

// TestJournal gives the program a stderr that it must take for the journal: the
// journal says by device and inode which one is its own.
func TestJournal(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	path := filepath.Join(t.TempDir(), "journal")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(file.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	asJournal := func(c *exec.Cmd) {
		c.Stderr = file
		c.Env = append(c.Env, fmt.Sprintf("JOURNAL_STREAM=%d:%d", stat.Dev, stat.Ino))
	}
	p := runProgram(t, asJournal, "producer", "--set", "redis.addresses="+redis.Addr(), "--set", "log.level=debug")
	line := regexp.MustCompile(`(?m)^<6>\{"level":"info","caller":"[a-z_/.:0-9]+","msg":"taking orders","address":"([^"]+)".*\}$`)
	var address []string
	redistest.Eventually(t, "taking orders", func() bool {
		text, _ := os.ReadFile(path)
		address = line.FindStringSubmatch(string(text))
		return address != nil
	})
	wantStatus(t, http.StatusAccepted, "POST", "http://"+address[1]+"/v1/orders", `{"order_id":"J-1"}`)
	p.terminate(t)
	text, _ := os.ReadFile(path)
	if !regexp.MustCompile(`(?m)^<7>\{"level":"debug".*"msg":"order accepted"`).Match(text) {
		t.Errorf("no debug line with its priority in\n%s", text)
	}
	for line := range strings.Lines(string(text)) {
		if !regexp.MustCompile(`^<[3467]>\{"level":.*\}\n$`).MatchString(line) || strings.Contains(line, `"ts"`) {
			t.Errorf("wrote %q, want a priority and no time", line)
		}
	}
}

func TestJournalPriorities(t *testing.T) {
	encoder := journalEncoder{consoleEncoder(false)}.Clone()
	encoder.AddString("queue", "orders")
	for level, want := range map[zapcore.Level]string{
		zap.DebugLevel: "<7>DEBUG", zap.InfoLevel: "<6>INFO", zap.WarnLevel: "<4>WARN",
		zap.ErrorLevel: "<3>ERROR", zap.DPanicLevel: "<3>DPANIC",
	} {
		e := zapEntry()
		e.Level = level
		line, err := encoder.EncodeEntry(e, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := line.String(); got != want+"\thello\t{\"queue\": \"orders\"}\n" {
			t.Errorf("%v: wrote %q, want %s", level, got, want)
		}
	}
}

// TestLogLevel changes the level of a running process, as docs/operations.md
// says: debug lines come at once, with where they come from, and end again.
func TestLogLevel(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := runProgram(t, nil, "producer", "--set", "redis.addresses="+redis.Addr())
	orders, level := p.address(t, takesOrders), p.address(t, servesMetrics)+"/loglevel"
	p.line(t, connected)
	put := func(to string) {
		t.Helper()
		if text := wantStatus(t, http.StatusOK, "PUT", level, fmt.Sprintf(`{"level":%q}`, to)); text != fmt.Sprintf("{\"level\":%q}\n", to) {
			t.Errorf("PUT %s = %s", to, text)
		}
	}
	post := func(id string) {
		t.Helper()
		wantStatus(t, http.StatusAccepted, "POST", orders+"/v1/orders", fmt.Sprintf(`{"order_id":%q}`, id))
	}
	if text := wantStatus(t, http.StatusOK, "GET", level, ""); text != "{\"level\":\"info\"}\n" {
		t.Errorf("GET = %s", text)
	}
	post("before")
	put("debug")
	post("during")
	put("info")
	post("after")
	wantStatus(t, http.StatusBadRequest, "PUT", level, `{"level":"loud"}`)
	p.terminate(t)
	var debug []any
	for _, line := range logLines(t, p.log.String()) {
		if line["level"] == "debug" {
			debug = append(debug, line["order_id"])
		}
		if caller, has := line["caller"]; has != (line["level"] == "debug") {
			t.Errorf("caller %v in the line %v", caller, line)
		}
	}
	if len(debug) != 1 || debug[0] != "during" {
		t.Errorf("debug lines about %v, want one about the order that came during debug", debug)
	}
}

// TestLogLevelByCurl: the form that curl -d sends.
func TestLogLevelByCurl(t *testing.T) {
	_, s, h := adminFor(t, nil)
	w := request(h, http.MethodPut, "/loglevel?level=debug", "127.0.0.1:1", "Content-Type", "application/x-www-form-urlencoded")
	if w.Code != http.StatusOK || s.log.level.Level() != zap.DebugLevel {
		t.Errorf("status %d, level %v: %s", w.Code, s.log.level, w.Body)
	}
}
