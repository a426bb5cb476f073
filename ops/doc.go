// Package ops holds the commands with which operators look at a queue, one file
// a verb: its flags, its question to streamutil, its rendering. Every one of
// them works with all consumers dead, and none of them blocks Redis.
//
// Data goes to standard output, messages to standard error. On a terminal
// tables are aligned; piped, their cells are separated by tabs.
package ops
