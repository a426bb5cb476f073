package monitoring

import (
	"fmt"
	"os"
	"testing"

	"orderq/internal/redistest"
)

// buildDir holds the program that the tests build.
var buildDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "orderq-monitoring-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	buildDir = dir
	code := redistest.Run(m)
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
