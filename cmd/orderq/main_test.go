package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets a script call this test binary as orderq.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"orderq": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds:                scriptCommands,
		// ORDERQ_TEST_UPDATE=1 writes what the program says now.
		UpdateScripts: os.Getenv("ORDERQ_TEST_UPDATE") != "",
	})
}
