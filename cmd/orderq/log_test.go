package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"testing"
	"time"

	"go.uber.org/zap"
)

func TestLogFormats(t *testing.T) {
	for format, want := range map[string]string{
		"auto":    `^\{"level":"warn","ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z","logger":"part","msg":"hello","order_id":"A-1","took_s":1.5\}\n$`,
		"json":    `^\{"level":"warn",.*"msg":"hello".*\}\n$`,
		"console": `^\d\d:\d\d:\d\d\.\d{3}\tWARN\tpart\thello\t\{"order_id": "A-1", "took_s": "1.5s"\}\n$`,
	} {
		t.Run(format, func(t *testing.T) {
			c := setting{set: []string{"log.format=" + format}}.mustLoad(t)
			var out bytes.Buffer
			log, err := newLogging(c, &out, false)
			if err != nil {
				t.Fatal(err)
			}
			log.Debug("not shown")
			log.Named("part").Warn("hello", zap.String("order_id", "A-1"), zap.Duration("took_s", 1500*time.Millisecond))
			log.close()
			if !regexp.MustCompile(want).MatchString(out.String()) {
				t.Errorf("wrote %q, want %s", out.String(), want)
			}
		})
	}
}

func TestLogLevelCanChange(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogging(setting{set: []string{"log.level=error"}}.mustLoad(t), &out, false)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("before")
	log.level.SetLevel(zap.DebugLevel)
	log.Debug("after")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["msg"] != "after" {
		t.Errorf("wrote %q (%v), want one line", out.String(), err)
	}
}

func TestColoursAreForTerminalsWithoutNoColor(t *testing.T) {
	for _, colours := range []bool{true, false} {
		buf, err := consoleEncoder(colours).EncodeEntry(zapEntry(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(buf.Bytes(), []byte("\x1b[")); got != colours {
			t.Errorf("colours = %t: wrote %q", colours, buf)
		}
	}
}

func TestLogFileIsAppendedTo(t *testing.T) {
	set := setting{files: map[string]string{"x.log": "old\n"}, set: []string{"log.file=x.log"}}
	var stderr bytes.Buffer
	log, err := newLogging(set.mustLoad(t), &stderr, false)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("new")
	log.close()
	text, err := os.ReadFile("x.log")
	if err != nil || !regexp.MustCompile(`^old\n\{.*"new"\}\n$`).Match(text) || stderr.Len() > 0 {
		t.Errorf("file holds %q (%v), stderr %q", text, err, stderr.String())
	}
}

func TestLogFileThatCannotBeOpened(t *testing.T) {
	c := setting{set: []string{"log.file=none/x.log"}}.mustLoad(t)
	_, err := newLogging(c, &bytes.Buffer{}, false)
	wantProblems(t, err, "--set: log.file: none/x.log: no such file or directory")
}
