package main

import "orderq/streamutil"

// openQueue connects the operators' commands to the queue the configuration names.
func (a *app) openQueue() (*streamutil.Queue, func(), error) {
	cfg, err := a.load(roleOperator)
	if err != nil {
		return nil, nil, err
	}
	client, queue, err := cfg.open()
	if err != nil {
		return nil, nil, err
	}
	return queue, client.Close, nil
}
