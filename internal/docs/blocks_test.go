package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a list of commands in a document, with what they must print.
type block struct {
	at     string // FILE:LINE
	words  []string
	script string
	// prints is nil if the document does not say.
	prints []string
}

const (
	runFence  = "```sh run"
	textFence = "```text"
	fence     = "```"
)

// documents are the names of all that may have blocks.
func documents(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	return append(names, "../../README.md")
}

// blocks finds those of a document that are to be run.
func blocks(t *testing.T, name string) (found []block) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		words, runs := strings.CutPrefix(lines[i], runFence)
		if !runs {
			continue
		}
		b := block{at: fmt.Sprintf("%s:%d", filepath.Base(name), i+1), words: strings.Fields(words)}
		for _, w := range b.words {
			if !slices.Contains([]string{"producer", "consumer", "bare", "on"}, w) {
				t.Fatalf("%s: %q is no word for a block; see the package's documentation", b.at, w)
			}
		}
		body, end := inside(lines, i)
		b.script, i = strings.Join(body, "\n"), end
		next := i + 1
		for next < len(lines) && lines[next] == "" {
			next++
		}
		if next < len(lines) && lines[next] == textFence {
			b.prints, i = inside(lines, next)
		}
		found = append(found, b)
	}
	return found
}

// inside gives the lines of the block that begins at a line, and where it ends.
func inside(lines []string, begin int) (body []string, end int) {
	end = begin + 1
	for end < len(lines) && lines[end] != fence {
		end++
	}
	return lines[begin+1 : min(end, len(lines))], end
}

// changing is what may differ each time.
var changing = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)|` + // moments
	`\b\d{13}-\d+|\b\d{8}T\d{6}Z|` + // entries, file names
	`\b[a-zA-Z0-9.-]+-\d+-[a-z0-9]{8}\b|` + // consumers
	`\b(\d+(\.\d+)? (ms|s|min|h)\b ?)+`) // durations

// plain is a line without what does not count.
func plain(line string) string {
	return strings.TrimSpace(changing.ReplaceAllString(strings.Join(strings.Fields(line), " "), "#"))
}

// agrees reports whether what was printed is what the document says.
func agrees(prints []string, printed string) bool {
	pattern := strings.Builder{}
	for _, line := range prints {
		switch line = plain(line); line {
		case "":
		case "...":
			pattern.WriteString(`(?:.*\n)*`)
		default:
			pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, `.*`) + `\n`)
		}
	}
	text := strings.Builder{}
	for line := range strings.Lines(printed) {
		if line = plain(line); line != "" {
			text.WriteString(line + "\n")
		}
	}
	return regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(text.String())
}

func TestAgrees(t *testing.T) {
	for _, c := range []struct {
		name, prints, printed string
		want                  bool
	}{
		{"the same", "ok", "ok\n", true},
		{"another word", "ok", "no\n", false},
		{"another number", "dead  0", "dead\t1\n", false},
		{"a table for a terminal, tabs in a pipe", "dead        0\nlast error  none", "dead\t0\nlast error\tnone\n", true},
		{"a moment", "until 2026-11-23 19:53:15 UTC", "until 2027-01-01 00:00:00 UTC\n", true},
		{"no moment", "until 2026-11-23 19:53:15 UTC", "until tomorrow\n", false},
		{"an entry", "waits as 1795463617144-0", "waits as 1795463999999-12\n", true},
		{"durations", "oldest 15 s, 12 ms", "oldest 1 min 2 s, 1.3 s\n", true},
		{"a consumer", "vm-20755-ar75lfaw, alive", "build.host-3-zzzzzzzz, alive\n", true},
		{"something in a line", "took ..., all well", "took long, all well\n", true},
		{"not over lines", "took ..., all well", "took\n, all well\n", false},
		{"any lines", "first\n...\nlast", "first\na\nb\nlast\n", true},
		{"no lines", "first\n...\nlast", "first\nlast\n", true},
		{"a line too many", "first", "first\nsecond\n", false},
	} {
		if got := agrees(strings.Split(c.prints, "\n"), c.printed); got != c.want {
			t.Errorf("%s: %q and %q agree: got %v", c.name, c.prints, c.printed, got)
		}
	}
}
