// Command trial is what the test of an installation needs beside the package:
// a partner that takes the orders, and customers that submit them.
//
//	trial partner ADDRESS LOG
//	trial load URL RATE PREFIX ACCEPTED [kept]
//
// With "kept" the customers keep their connections; else each order has one of
// its own, as those of a shop's visitors have.
package main

import (
	"errors"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatalf("trial: %v", err)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "partner":
		return servePartner(args[1], args[2])
	case len(args) >= 5 && args[0] == "load":
		rate, err := strconv.Atoi(args[2])
		if err != nil || rate < 1 {
			return errors.New("the rate is a number of orders a second")
		}
		transport := &http.Transport{DisableKeepAlives: len(args) == 5, MaxIdleConnsPerHost: 100}
		l := &load{
			url: args[1], prefix: args[3], failed: map[string]int{},
			client: &http.Client{Transport: transport, Timeout: 30 * time.Second},
		}
		return l.run(rate, args[4])
	}
	return errors.New("want: partner ADDRESS LOG, or load URL RATE PREFIX ACCEPTED [kept]")
}
