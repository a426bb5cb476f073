// Package layers holds the project's architecture to its word: who may import
// whom, as docs/design.md says it.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// may lists, for each of our packages, which of ours it may import. cmd/orderq
// may import all; what is not listed may import none.
var may = map[string][]string{
	"orderq/metrics":            {"orderq/streamutil"},
	"orderq/ops":                {"orderq/streamutil"},
	"orderq/producer":           {"orderq/streamutil", "orderq/metrics"},
	"orderq/consumer":           {"orderq/streamutil", "orderq/metrics", "orderq/internal/testhook"},
	"orderq/internal/partner":   {"orderq/internal/testhook"},
	"orderq/internal/campaign":  {"orderq/internal/partner", "orderq/internal/testhook", "orderq/internal/redistest", "orderq/streamutil"},
	"orderq/internal/redistest": {},
	"orderq/internal/embedded":  {},
	"orderq/internal/faultconn": {},
	"orderq/internal/testhook":  {},
	"orderq/streamutil":         {},
}

// alone lists what only one package may import: the mark of a layer.
var alone = map[string][]string{
	"github.com/knadh/koanf":        {"orderq/cmd/orderq"},
	"github.com/redis/rueidis":      {"orderq/streamutil"},
	"github.com/alicebob/miniredis": {"orderq/internal/embedded"},
	"github.com/spf13/cobra":        {"orderq/cmd/orderq", "orderq/ops"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "orderq/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestEveryPackageKeepsToItsLayer(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			ours := strings.HasPrefix(imported, "orderq/")
			if ours && p.ImportPath != "orderq/cmd/orderq" && !slices.Contains(may[p.ImportPath], imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
			for prefix, who := range alone {
				if strings.HasPrefix(imported, prefix) && !slices.Contains(who, p.ImportPath) {
					t.Errorf("%s imports %s; only %v may", p.ImportPath, imported, who)
				}
			}
		}
	}
}

func TestStreamutilNeitherLogsNorReadsItsSurroundings(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "orderq/streamutil" {
			continue
		}
		for _, banned := range []string{"go.uber.org/zap", "log", "log/slog", "os"} {
			if slices.Contains(p.Imports, banned) {
				t.Errorf("streamutil imports %s", banned)
			}
		}
		return
	}
	t.Fatal("orderq/streamutil is not there")
}
