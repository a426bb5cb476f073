package ops

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"
)

// isTerminal reports whether a person is at the other end.
func isTerminal(end any) bool {
	f, ok := end.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// json writes a value as one document: indented, or with jsonl on one line.
func (v view) json(value any) error {
	enc := json.NewEncoder(v.out)
	enc.SetEscapeHTML(false)
	if v.format == "json" {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(value)
}

// rows writes a list: a table, an array, or one document a line.
func rows[T any](v view, list []T, headings []string, cells func(T) []string) error {
	s := sheet[T]{view: v, headings: headings, cells: cells}
	for _, item := range list {
		if err := s.add(item); err != nil {
			return err
		}
	}
	return s.close()
}

// show writes one document, or these lines as a table.
func (v view) show(document any, lines [][]string) error {
	if v.format != "table" {
		return v.json(document)
	}
	return v.table(lines)
}

func (v view) table(lines [][]string) error {
	if !isTerminal(v.out) {
		for _, cells := range lines {
			if _, err := fmt.Fprintln(v.out, row(cells)); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(v.out, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		fmt.Fprintln(w, row(cells))
	}
	return w.Flush()
}

// row is a line of a table, its cells without what would break it or move a
// terminal's cursor: entries made by hand may hold anything.
func row(cells []string) string {
	clean := make([]string, 0, len(cells))
	for _, cell := range cells {
		clean = append(clean, printable(cell))
	}
	return strings.Join(clean, "\t")
}

// printable puts a space in place of each control character.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// span says a duration as people do, in its two largest units: 350 ms, 12 s,
// 4 min 10 s, 3 h 12 min, 2 d 5 h.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// seconds is how JSON says a duration: with milliseconds.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// orNone stands a dash in for what there is not.
func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
