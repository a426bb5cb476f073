package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// programDir is where the program is as users get it: scripts run that, without
// the race detector even where the tests run with it.
var programDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "orderq-build-")
	if err == nil {
		programDir = dir
		defer func() { _ = os.RemoveAll(dir) }()
		var out []byte
		if out, err = exec.Command("go", "build", "-o", filepath.Join(dir, "orderq"), ".").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the program for the scripts:", err)
		return 1
	}
	return m.Run()
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                scriptCommands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", programDir+string(filepath.ListSeparator)+env.Getenv("PATH"))
			return nil
		},
		// ORDERQ_TEST_UPDATE=1 writes what the program says now.
		UpdateScripts: os.Getenv("ORDERQ_TEST_UPDATE") != "",
	})
}
