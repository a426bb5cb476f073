package main

import (
	"net"

	"golang.org/x/sys/unix"
)

// shutOut lets nobody come to a listener any more, but those on their way: the
// kernel drops the packet that opens a connection (SYN), whose sender repeats it
// after a second and is then refused, or finds a successor. Without this the kernel
// would complete connections until the very moment in which the listener is closed,
// and reset them then. That is still what happens to those whose way took longer
// than lastSteps, and to the last ones where the system forbids the filter.
func shutOut(l *net.TCPListener) {
	raw, err := l.SyscallConn()
	if err != nil {
		return
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 13},                   // the flags of TCP's header
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 0x02, Jt: 0, Jf: 1}, // SYN
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	})
}
