package ops

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// summary is what enqueue -o json shows at its end; scripts rely on its keys.
type summary struct {
	DryRun     bool `json:"dry_run"`
	Read       int  `json:"read"`
	Accepted   int  `json:"accepted"`
	Duplicates int  `json:"duplicates"`
	// Ended are those of the duplicates that are cancelled or dead.
	Ended    int `json:"ended"`
	Rejected int `json:"rejected"`
	// Durability is what the accepted orders have reached; null if none was
	// submitted. If it changed meanwhile, all that were reached.
	Durability *string `json:"durability"`
	Seconds    float64 `json:"seconds"`
}

// reached notes a durability.
func (s *summary) reached(durability string) {
	switch {
	case durability == "":
	case s.Durability == nil:
		s.Durability = &durability
	case !slices.Contains(strings.Split(*s.Durability, ", "), durability):
		s.Durability = new(*s.Durability + ", " + durability)
	}
}

// finish ends the work: it says what became of it and how the program ends.
func (l *loader) finish(stopped error) error {
	l.progress.end()
	if more := l.sum.Rejected - l.limit; more > 0 {
		l.say("and %d more rejected; --limit shows more", more)
	}
	took := time.Since(l.began)
	l.sum.Seconds = seconds(took)
	if err := l.view.show(l.sum, l.lines(took)); err != nil {
		return err
	}
	switch {
	case stopped != nil:
		return &exit{code: exitFailed, text: stopped.Error()}
	case l.sum.Rejected > 0:
		return &exit{code: exitFailed, text: fmt.Sprintf("%d of %s rejected", l.sum.Rejected, several(l.sum.Read, "order"))}
	case l.sum.Ended > 0:
		return &exit{code: exitFailed, text: fmt.Sprintf("%s were accepted before and are cancelled or dead: submit them again under new ids, or see orderq dead requeue", several(l.sum.Ended, "order"))}
	}
	return nil
}

func (l *loader) lines(took time.Duration) [][]string {
	s := l.sum
	if s.DryRun {
		return [][]string{{"read", several(s.Read, "order")}, {"rejected", strconv.Itoa(s.Rejected)}, {"took", span(took)}}
	}
	durability := "-"
	if s.Durability != nil {
		durability = *s.Durability
	}
	return [][]string{
		{"read", several(s.Read, "order")},
		{"accepted", strconv.Itoa(s.Accepted)},
		{"duplicates", strconv.Itoa(s.Duplicates)},
		{"rejected", strconv.Itoa(s.Rejected)},
		{"durability", durability},
		{"took", fmt.Sprintf("%s, %.0f orders/s", span(took), float64(s.Read)/max(took.Seconds(), 0.001))},
	}
}
