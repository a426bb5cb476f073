package main

import (
	"os"
	"syscall"
	"unsafe"
)

// wallShift is what a test adds to every reading of the wall clock, in
// microseconds: it lies in the file that ORDERQ_TEST_CLOCK names.
//
//go:linkname wallShift time.wallShift
var wallShift *int64

func init() {
	f, err := os.Open(os.Getenv("ORDERQ_TEST_CLOCK"))
	if err != nil {
		panic(err)
	}
	at, err := syscall.Mmap(int(f.Fd()), 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	wallShift = (*int64)(unsafe.Pointer(&at[0]))
}
