package main

import (
	"errors"
	"fmt"
	"net"

	"github.com/coreos/go-systemd/v22/activation"
)

// inherited gives the listener that systemd opened for this process (a .socket
// unit, see sd_listen_fds(3)); nil without one. It stays open between two processes:
// clients that come meanwhile wait.
func inherited() (net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("take over what systemd listens on: %w", err)
	}
	var found []net.Listener
	for _, l := range all {
		if l != nil { // what is no stream socket
			found = append(found, l)
		}
	}
	switch {
	case len(all) == 0:
		return nil, nil
	case len(found) != 1 || len(all) != 1:
		return nil, errors.New("systemd hands over several sockets, or one that is no stream; want one ListenStream= in the .socket unit")
	}
	return found[0], nil
}
