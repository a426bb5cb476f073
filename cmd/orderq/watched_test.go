package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"orderq/internal/redistest"
)

// TestWatchedSecret replaces the file in the ways that people and tools do.
func TestWatchedSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rename := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	age := func() { // as if it had been written long ago
		t.Helper()
		if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	tick := func() {
		t.Helper()
		if err := os.Chtimes(path, time.Time{}, now); err != nil {
			t.Fatal(err)
		}
	}
	core, logs := observer.New(zap.DebugLevel)
	write("first\n")
	w := (&loaded{}).secretFile("k", Path(path), checkSigningSecret)
	current := w.follow(zap.New(core))
	for _, step := range []struct {
		name string
		do   func()
		want string
		log  string // what is logged, by several calls
	}{
		{"as at the start", age, "first", ""},
		{"as before", func() {}, "first", ""},
		{"longer", func() { write("second one"); age() }, "second one", "info"},
		{"the same length, at once", func() { write("third1") }, "third1", "info"},
		{"the same length, at once again", func() { write("third2\r\n") }, "third2", "info"},
		{"the same length, within one tick of the file system's clock", func() { write("third3"); tick(); current(); write("third4"); tick() }, "third4", "info, info"},
		{"another file of the same age", func() { age(); current(); rename("other2\r\n"); age() }, "other2", "info"},
		{"empty", func() { write("") }, "other2", "is empty"},
		{"still empty", func() { write("\n") }, "other2", ""},
		{"two lines", func() { write("one\ntwo\n") }, "other2", "has more than one line"},
		{"not as it must be", func() { write("whsec_s3cret!") }, "other2", "the secret begins with whsec_, and no base64 follows"},
		{"gone", func() { _ = os.Remove(path) }, "other2", "no such file or directory"},
		{"the same again", func() { write("other2") }, "other2", ""},
		{"gone again", func() { _ = os.Remove(path) }, "other2", "no such file or directory"},
		{"a folder", func() { _ = os.Mkdir(path, 0o700) }, "other2", ""},
		{"a pipe", func() { _ = os.Remove(path); _ = syscall.Mkfifo(path, 0o600) }, "other2", ""},
		{"good at last", func() { _ = os.Remove(path); write("last") }, "last", "info"},
	} {
		step.do()
		for range 3 {
			if got := current().Reveal(); got != step.want {
				t.Errorf("%s: %q, want %q", step.name, got, step.want)
			}
		}
		var said []string
		for _, e := range logs.TakeAll() {
			if reason, ok := e.ContextMap()["reason"]; ok {
				said = append(said, reason.(string))
			} else {
				said = append(said, e.Level.String())
			}
			if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, "s3cret") || strings.Contains(line, "second") {
				t.Errorf("%s: the log shows a secret: %s", step.name, line)
			}
		}
		if got := strings.Join(said, ", "); got != step.log {
			t.Errorf("%s: logged %q, want %q", step.name, got, step.log)
		}
	}
}

// TestUnreadableSecret: a file that is made readable later is the same file.
func TestUnreadableSecret(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := (&loaded{}).secretFile("k", Path(path), nil)
	if err := errors.Join(os.WriteFile(path, []byte("new"), 0o600), os.Chmod(path, 0o200)); err != nil {
		t.Fatal(err)
	}
	if got := w.current(); got != "old" {
		t.Errorf("%q, want the old one", got.Reveal())
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := w.current(); got != "new" {
		t.Errorf("%q, want the new one", got.Reveal())
	}
}

func TestNoSecretFile(t *testing.T) {
	w := (&loaded{}).secretFile("k", "", nil)
	if got := w.follow(zap.NewNop())(); got != "" {
		t.Errorf("%q, want none", got.Reveal())
	}
}

// TestANewTokenNeedsNoRestart replaces both secrets of a running consumer.
func TestANewTokenNeedsNoRestart(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	calls := make(chan http.Header, 10)
	partner := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { calls <- r.Header }))
	t.Cleanup(partner.Close)
	dir := t.TempDir()
	token, signing := filepath.Join(dir, "token"), filepath.Join(dir, "signing")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(token, "first\n")
	write(signing, "whsec_aGVsbG8=\n")
	config := redisConfig(redis.Addr()) + fmt.Sprintf("consumer: {api: {url: %q, token_file: %q, hmac_secret_file: %q}}\n", partner.URL, token, signing)
	p := startOrderq(t, "producer", config)
	c := startOrderq(t, "consumer", config)
	orders := p.address(t, takesOrders) + "/v1/orders"
	call := func(id, want string) {
		t.Helper()
		wantStatus(t, http.StatusAccepted, "POST", orders, fmt.Sprintf(`{"order_id":%q}`, id))
		select {
		case h := <-calls:
			if got := h.Get("Authorization"); got != want || h.Get("Webhook-Signature") == "" {
				t.Errorf("%s: %q, signature %q; want %q, signed", id, got, h.Get("Webhook-Signature"), want)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the partner was not called")
		}
	}
	call("A-1", "Bearer first")
	write(token, "second\n")
	write(signing, "whsec_no base64\n")
	call("A-2", "Bearer second")
	if f := c.line(t, "a watched file is no good; what it held before stays in use"); f["key"] != "consumer.api.hmac_secret_file" {
		t.Errorf("the log names %v", f["key"])
	}
	if log := c.log.String(); strings.Contains(log, "second") || strings.Contains(log, "whsec_no") {
		t.Error("the log shows a secret")
	}
}
