package campaign

import (
	"fmt"
	"os"
	"testing"
)

// report logs a measured figure and appends it to the file that
// ORDERQ_TEST_REPORT names, if it does.
func report(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	name := os.Getenv("ORDERQ_TEST_REPORT")
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatalf("open report: %v", err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "%s: %s\n", t.Name(), line); err != nil {
		t.Fatalf("write report: %v", err)
	}
}
