// Package metrics holds the instruments that producers and consumers move and
// Prometheus reads.
//
// Every group of instruments is a struct built with a Registerer; its methods
// are verbs ("an order was offered", "an attempt ended"). Nothing is registered
// at package level. A nil Registerer gives instruments that work and are seen
// by nobody. Building the same group twice with one Registerer gives the same
// instruments, so a producer and a consumer may share a process.
//
// Label values come from closed sets, all present from the start at zero: a
// rate over something that never happened is 0, not absent. Series of one queue
// carry its name in the label queue.
//
// Two kinds of series must be read differently:
//
//   - counters and histograms belong to one process: sum them over processes;
//   - the gauges of [Stream] are read from Redis at scrape and are the same in
//     every process that exports them: use max by (queue), never sum.
package metrics
