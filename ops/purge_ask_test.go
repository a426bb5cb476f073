package ops

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orderq/streamutil"
)

func TestPurgeAsks(t *testing.T) {
	for answer, wanted := range map[string]bool{"y\n": true, "n\n": false} {
		c := atTerminal(t, answer)
		var out, errs bytes.Buffer
		c.out, c.errs = &out, &errs
		file := filepath.Join(t.TempDir(), "backup")
		err := c.purge(t.Context(), purging{backup: file})
		if !strings.HasPrefix(errs.String(), "write 2 orders to "+file+" and cancel them? [y/N] ") {
			t.Errorf("asks %q", errs.String())
		}
		_, missing := os.Stat(file)
		if done := err == nil && missing == nil; done != wanted || (!done && (out.Len() > 0 || !os.IsNotExist(missing))) {
			t.Errorf("after %q: %v, wrote %q, the file: %v", answer, err, out.String(), missing)
		}
	}
}

// What comes while it asks is not what was confirmed.
func TestPurgeTakesWhatItAskedFor(t *testing.T) {
	c := atTerminal(t, "")
	var out, errs bytes.Buffer
	c.out, c.errs = &out, &errs
	c.in = readerFunc(func(b []byte) (int, error) { // the answer, typed after an order came
		if _, err := c.queue.Enqueue(t.Context(), streamutil.NewOrder{ID: "late", Body: []byte(`{}`)}); err != nil {
			t.Error(err)
		}
		return copy(b, "y\n"), nil
	})
	if err := c.purge(t.Context(), purging{backup: filepath.Join(t.TempDir(), "backup")}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "cancelled\t2\n") {
		t.Errorf("said %q", out.String())
	}
	if r, err := c.queue.Lookup(t.Context(), "late"); err != nil || r.State != streamutil.Waiting {
		t.Errorf("the late order is %s, %v", r.State, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Many dead letters must not stand before all that comes now.
func TestRequeueIsSpaced(t *testing.T) {
	c := atTerminal(t, "")
	for _, tt := range []struct {
		r     requeueing
		found int
		says  bool
	}{
		{requeueing{all: true, rate: "100000/s"}, 11, true},
		{requeueing{all: true, rate: "100000/s"}, 10, false},
		{requeueing{all: true, rate: "unlimited"}, 11, false},
		{requeueing{ids: []string{"x"}, rate: "100000/s"}, 11, true},
	} {
		var errs bytes.Buffer
		c.errs = &errs
		if _, err := c.spaced(t.Context(), tt.r, tt.found); err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(errs.String(), "then one every"); said != tt.says {
			t.Errorf("%+v of %d: says %q", tt.r, tt.found, errs.String())
		}
	}
}
