package main

import (
	"os"
	"os/user"
	"strconv"

	"orderq/ops"
)

// openQueue connects the operators' commands to the queue the configuration names.
func (a *app) openQueue() (ops.Desk, error) {
	cfg, err := a.load(roleOperator)
	if err != nil {
		return ops.Desk{}, err
	}
	client, queue, err := cfg.open()
	if err != nil {
		return ops.Desk{}, err
	}
	return ops.Desk{Queue: queue, Who: a.operator(), IDField: cfg.Producer.IDField, Close: client.Close, Findings: cfg.findings}, nil
}

// operator names whoever runs this command, as in anna@shop-1: of a sudo the
// person behind it. A container may know of no name for a user; then the number
// stands for it.
func (a *app) operator() string {
	name := a.lookup("SUDO_USER")
	if name == "" {
		name = userName(strconv.Itoa(os.Getuid()))
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return name + "@" + host
}

// userName does not ask [user.Current], which believes $USER where nothing
// else knows the user.
func userName(uid string) string {
	u, err := user.LookupId(uid)
	if err != nil {
		return "uid " + uid
	}
	return u.Username
}
