package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// setting is where a test's configuration comes from. Its files are written to
// a folder that becomes the working directory.
type setting struct {
	files   map[string]string
	environ []string
	set     []string
	config  string
	queue   string
	role    role
}

func (s setting) load(t *testing.T) (*loaded, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range s.files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := sources{config: s.config, queue: s.queue, set: s.set, environ: s.environ, system: "etc/orderq.yaml"}
	return load(src, s.role)
}

func (s setting) mustLoad(t *testing.T) *loaded {
	t.Helper()
	c, err := s.load(t)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return c
}

// wantProblems fails unless err holds exactly these lines and means exit 78.
func wantProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	var got *exitError
	if !errors.As(err, &got) {
		t.Fatalf("error = %v, want problems:\n%s", err, strings.Join(want, "\n"))
	}
	if diff := cmp.Diff(want, got.lines); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if got.code != exitConfig {
		t.Errorf("exit code = %d, want %d", got.code, exitConfig)
	}
}

// value gives a key's value as config print shows it.
func (c *loaded) value(t *testing.T, key string) string {
	t.Helper()
	for _, l := range leaves(&c.Config) {
		if l.key == key {
			text, err := l.yaml()
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
	}
	t.Fatalf("no key %s", key)
	return ""
}
