package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"orderq/internal/redistest"
)

// scriptServers are the servers that scripts have started.
var scriptServers sync.Map // *testscript.TestScript -> *redistest.Server

// redisCommand gives a script a Redis of its own:
//
//	redis start ARG...   runs a redis-server with these arguments
//	redis do WORD...     sends it a command; an error ends the script
//	redis freeze, redis thaw
//
// From the start on orderq finds it, and $addr is its address.
func redisCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: redis start|do|freeze|thaw [ARG...]")
	}
	if args[0] == "start" {
		srv := redistest.Start(&scriptTB{ts: ts}, args[1:]...)
		scriptServers.Store(ts, srv)
		ts.Defer(func() { scriptServers.Delete(ts) })
		ts.Setenv("addr", srv.Addr())
		ts.Setenv("ORDERQ_REDIS__ADDRESSES", srv.Addr())
		return
	}
	found, ok := scriptServers.Load(ts)
	if !ok {
		ts.Fatalf("redis %s: none was started", args[0])
	}
	srv, _ := found.(*redistest.Server)
	switch args[0] {
	case "do":
		srv.CLI(args[1:]...)
	case "freeze":
		srv.Stop()
	case "thaw":
		srv.Continue()
	default:
		ts.Fatalf("redis %s: want start, do, freeze or thaw", args[0])
	}
}

// scriptTB lets a script stand where a test is asked for, as far as redistest
// needs one.
type scriptTB struct {
	testing.TB

	ts *testscript.TestScript
}

func (s *scriptTB) Helper()                           {}
func (s *scriptTB) Cleanup(f func())                  { s.ts.Defer(f) }
func (s *scriptTB) Fatal(args ...any)                 { s.ts.Fatalf("%s", strings.TrimSpace(fmt.Sprintln(args...))) }
func (s *scriptTB) Fatalf(format string, args ...any) { s.ts.Fatalf(format, args...) }

func (s *scriptTB) TempDir() string {
	dir, err := os.MkdirTemp(s.ts.MkAbs("."), "redis-")
	s.ts.Check(err)
	return dir
}
