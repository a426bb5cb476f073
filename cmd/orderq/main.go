// Command orderq takes a shop's orders by HTTP and delivers them to a
// partner's API, in order and no faster than agreed.
//
// Everything that touches the environment, signals, configuration files and
// the process's exit code is in this package; the others get plain values.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"orderq/internal/testhook"
)

func main() {
	testhook.Load(os.Getenv)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for an orderly end. After it the default action is
	// back, so a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), system: systemFile}
	os.Exit(a.run(ctx, os.Args[1:]))
}

// app is one run of the program: what it reads from and writes to, and the
// global flags.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	system         string // the configuration file of last resort
	flags          globalFlags
	// running is set when a command's own code begins: errors before it are
	// about how the command was written.
	running bool
}

// run executes one command and gives the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := newRootCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if code := exitCode(err); a.running || code != exitFailed {
		report(a.stderr, err)
		return code
	}
	report(a.stderr, usageErrorf("%s; see orderq --help", oneLine(err.Error())))
	return exitUsage
}
