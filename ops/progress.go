package ops

import (
	"fmt"
	"io"
	"time"
)

// progressEvery is how often a line of progress changes.
const progressEvery = 200 * time.Millisecond

// progress shows how far long work is, on a terminal. Data may go there too: who
// writes it ends the line first.
type progress struct {
	w     io.Writer // nil: shows nothing
	next  time.Time
	shown bool
}

func newProgress(v view) *progress {
	p := &progress{next: time.Now().Add(progressEvery)} // short work shows none
	if isTerminal(v.errs) {
		p.w = v.errs
	}
	return p
}

func (p *progress) show(format string, args ...any) {
	if p.w == nil || time.Now().Before(p.next) {
		return
	}
	p.next, p.shown = time.Now().Add(progressEvery), true
	fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
}

// end wipes the line; what is shown later begins it anew.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
