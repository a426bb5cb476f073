package main

import (
	"fmt"
	"strings"
)

// origin is where a value came from.
type origin struct {
	// layer groups origins in a summary: "file x", ".env", "environment",
	// "flags", "credentials" or "default".
	layer string
	// label is what config print shows: "file PATH", "env ORDERQ_X".
	label string
	// at is what an error begins with: "orderq.yaml:3", "ORDERQ_X", "--set".
	// A default has none.
	at string
	// dir is the folder that relative paths start from; empty is the working
	// directory.
	dir string
}

var defaultOrigin = origin{layer: "default", label: "default"}

// where names the origin inside a sentence.
func (o origin) where() string {
	if o.at == "" {
		return o.label
	}
	return o.at
}

// problems collects everything that is wrong with a configuration, so that
// nobody has to fix it one error at a time.
type problems struct{ lines []string }

// add notes a problem. Parts that are empty are left out: "AT: KEY: TEXT".
func (p *problems) add(at, key, text string) {
	var parts []string
	for _, part := range []string{at, key, text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	p.lines = append(p.lines, strings.Join(parts, ": "))
}

func (p *problems) addf(at, key, format string, args ...any) {
	p.add(at, key, fmt.Sprintf(format, args...))
}

// err gives all problems as one error that ends the program with exit 78.
func (p *problems) err() error {
	if len(p.lines) == 0 {
		return nil
	}
	return &exitError{code: exitConfig, lines: p.lines}
}
