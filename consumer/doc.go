// Package consumer takes orders from a queue and hands them to a partner, one
// call a slot, over any number of processes.
//
// A [Consumer] runs a few loops, each one type in one file:
//
//   - dispatcher: take, send, settle; the main path
//   - heartbeat: moves this consumer's counter, and fences it when it could not
//   - recovery: watches everybody's counters and takes back what the dead held
//
// Beside them stand values without loops of their own: the pacer knows when to
// ask for a slot, the fence whether calls may run, holdings what was taken and
// is not settled yet.
//
// Every duration is measured on this process's own monotonic clock, one that
// counts through a suspend where there is one. No clock of Redis is compared
// with it.
package consumer
