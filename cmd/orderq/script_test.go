package main

import (
	"errors"
	"os/exec"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCommands are what the scripts in testdata/script know beside the
// commands of testscript itself.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits": exits, "redis": redisCommand,
}

// exits runs a program and checks its exit code: exits CODE PROGRAM ARG...
// No mistake of a user may take longer than a second to tell; that is measured
// as the program's own time, so that a busy machine fails nothing.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
		if took := exit.UserTime() + exit.SystemTime(); took > time.Second {
			ts.Fatalf("took %v, want less than a second", took)
		}
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
