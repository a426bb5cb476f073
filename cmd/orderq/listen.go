package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// unixPrefix begins an address that is a socket in the file system.
	unixPrefix = "unix:"
	// maxSocketPath is what every system can bind: macOS takes no longer ones.
	maxSocketPath = 103
	// socketMode lets in the owner and its group, such as a proxy's.
	socketMode = 0o660
	// maxConnections is how many clients a listener has at once. Further ones
	// wait in the kernel, where they cost us nothing.
	maxConnections = 4096
)

// listen binds as bind does, for at most so many clients at once.
func listen(key, address string, most int) (net.Listener, error) {
	l, err := bind(key, address)
	if err != nil {
		return nil, err
	}
	return netutil.LimitListener(l, most), nil
}

// bind binds the address that a key gives, HOST:PORT or unix:PATH. The error says
// on one line which key to change.
func bind(key, address string) (net.Listener, error) {
	path, isSocket := strings.CutPrefix(address, unixPrefix)
	open, another := func() (net.Listener, error) { return listenTCP(address) }, "HOST:PORT"
	if isSocket {
		open, another = func() (net.Listener, error) { return listenUnix(path) }, unixPrefix+"PATH"
	}
	l, err := open()
	if err == nil {
		return l, nil
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return nil, fmt.Errorf("listen on %s: %w; give %s another address, as in --set %s=%s", address, err, key, key, another)
}

// listenTCP binds an address for plain TCP: the multipath kind, which is what net
// binds by itself, takes no filter (see shutOut).
func listenTCP(address string) (net.Listener, error) {
	var plain net.ListenConfig
	plain.SetMultipathTCP(false)
	return plain.Listen(context.Background(), "tcp", address)
}

// listenUnix binds a socket, over the one that a process which was killed has
// left behind. Closing the listener removes it.
func listenUnix(path string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes a socket that nobody listens on. Whatever else is at its
// place stays: to bind there then fails.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return nil //nolint:nilerr // there is nothing to remove
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(errors.New("another process listens there"), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return nil // it may be alive
	}
	return os.Remove(path)
}

// addressText gives the address of a listener as it would be configured.
func addressText(a net.Addr) string {
	if a.Network() == "unix" {
		return unixPrefix + a.String()
	}
	return a.String()
}

// isLoopback reports whether only this machine reaches the address of a
// listener. A name was resolved by then, so that it hides nothing.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}
