package ops

import (
	"bytes"
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

func TestNoProgressWithoutATerminal(t *testing.T) {
	var b bytes.Buffer
	if p := newProgress(view{errs: &b, out: &b}); p.w != nil {
		t.Error("progress goes where nobody sees it")
	}
}
