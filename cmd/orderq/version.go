package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is stamped by the build (-ldflags "-X main.version=v1.2.3"). Without
// it the build information of Go answers.
var version string

// buildInfo is what this binary was made from.
type buildInfo struct {
	Version, Revision, Go string
}

func readBuildInfo() buildInfo {
	b := buildInfo{Version: version, Revision: "unknown", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if ok && b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = "devel"
	}
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value[:min(12, len(s.Value))]
		}
	}
	return b
}

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := readBuildInfo()
			_, err := fmt.Fprintf(a.stdout, "orderq %s (revision %s, %s, %s/%s)\n",
				b.Version, b.Revision, b.Go, runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
