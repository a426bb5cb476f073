// Package ops holds the commands with which operators look at a queue and act
// on it, one file a verb: its flags, its question to streamutil, its rendering.
// Every one of them works with all consumers dead, and none of them blocks Redis.
//
// Data goes to standard output, messages to standard error. On a terminal
// tables are aligned; piped, their cells are separated by tabs.
//
// A change says which queue it is about, is recorded with who and why, and says
// how it is undone. One that touches several orders, or dead letters, asks
// first, and says of each what became of it.
package ops
