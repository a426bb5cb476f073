package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"orderq/streamutil"
)

// The exit codes, the same for every command but check.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitConfig   = 78 // EX_CONFIG: a restart would not help
)

// exitError is an error that says how the program ends. Each of its lines is
// shown on a line of its own.
type exitError struct {
	code  int
	lines []string
}

// Error implements error.
func (e *exitError) Error() string { return strings.Join(e.lines, "\n") }

// ExitCode is the program's exit code; other packages' errors may have one too.
func (e *exitError) ExitCode() int { return e.code }

func usageErrorf(format string, args ...any) error {
	return &exitError{code: exitUsage, lines: []string{fmt.Sprintf(format, args...)}}
}

// exitCode decides how the program ends after err.
func exitCode(err error) int {
	var coded interface{ ExitCode() int }
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.ExitCode()
	case errors.Is(err, streamutil.ErrDurability):
		return exitConfig
	case errors.Is(err, streamutil.ErrNotFound):
		return exitNotFound
	}
	return exitFailed
}

// report writes an error for people, a line for each thing that is wrong. An
// error with an exit code and no text was already told.
func report(w io.Writer, err error) {
	lines := []string{oneLine(err.Error())}
	if e, ok := errors.AsType[*exitError](err); ok {
		lines = e.lines
	}
	for _, line := range lines {
		if line != "" {
			fmt.Fprintln(w, "orderq: "+line)
		}
	}
}

// oneLine joins what cobra and others write on several lines.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
