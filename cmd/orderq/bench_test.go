package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// bench runs orderq bench http for a moment, and gives what it printed.
func benchHTTP(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr lockedBuffer
	a := &app{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	code = a.run(t.Context(), append([]string{"bench", "http", "--rounds", "1", "--round", "50ms", "--connections", "4"}, args...))
	return code, stdout.String(), stderr.String()
}

func TestBenchHTTP(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	t.Cleanup(other.Close)
	code, out, errs := benchHTTP(t, "-o", "json", "--against", other.URL)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	var got struct {
		Servers []benchServer
		Ratios  []benchRatio
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(got.Servers) != 5 || len(got.Ratios) != 4 {
		t.Fatalf("%d servers and %d ratios, want 5 and 4: %s", len(got.Servers), len(got.Ratios), out)
	}
	for _, s := range got.Servers {
		if s.PerSecond <= 0 || s.P50 <= 0 {
			t.Errorf("%s: %+v", s.Name, s)
		}
	}
}

func TestBenchHTTPIsForPeople(t *testing.T) {
	t.Parallel()
	code, out, errs := benchHTTP(t)
	if code != exitOK || !strings.Contains(out, "SERVER") || !strings.Contains(out, "RATIO") || !strings.Contains(errs, "round 1 of 1") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

func TestBenchHTTPRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--connections", "0"}, {"--rounds", "0"}, {"--against", "ftp://x"}, {"--against", "x"}} {
		if code, _, errs := benchHTTP(t, args...); code != exitUsage {
			t.Errorf("%v: exit code %d, want %d: %s", args, code, exitUsage, errs)
		}
	}
}
