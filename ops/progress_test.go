package ops

import (
	"bytes"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressShowsOnlyLongWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newProgress(view{errs: &b, out: &b})
		p.w = &b // as on a terminal
		p.show("%d of 9", 1)
		p.end()
		if b.Len() > 0 {
			t.Errorf("short work shows %q", b.String())
		}
		for i := range 4 {
			<-time.After(progressEvery / 2)
			p.show("%d of 9", i+2)
		}
		p.end()
		if want := "\r\x1b[K3 of 9\r\x1b[K5 of 9\r\x1b[K"; b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	})
}

// A person may look at both on one terminal.
func TestProgressWhereTheDataGoes(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil || !isTerminal(tty) {
		t.Skip("no terminal to be had:", err)
	}
	defer tty.Close()
	if p := newProgress(view{errs: tty, out: tty}); p.w == nil {
		t.Error("long work is silent on a terminal")
	}
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := newProgress(view{errs: &b, out: &b})
		p.w = &b
		s := sheet[string]{view: view{out: &b}, headings: []string{"ORDER"}, cells: func(id string) []string { return []string{id} }, before: p.end}
		for _, id := range []string{"A", "B"} {
			<-time.After(progressEvery)
			if err := s.add(id); err != nil {
				t.Fatal(err)
			}
			p.show("%s done", id)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		p.end()
		if want := "\r\x1b[KA done\r\x1b[KB done\r\x1b[KORDER\nA\nB\n"; b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	})
}

func TestNoProgressWithoutATerminal(t *testing.T) {
	var b bytes.Buffer
	if p := newProgress(view{errs: &b, out: &b}); p.w != nil {
		t.Error("progress goes where nobody sees it")
	}
}
