// Package docs holds the tests that run the commands of our documents.
//
// A block of commands that begins with "```sh run" in README.md or docs/*.md is
// run by bash, in a folder of its own, with a real redis-server and the program
// just built. It must exit 0. If a "```text" block follows at once, that is what
// it must print. Words behind "run" say what is there when it begins:
//
//	producer  a producer runs
//	consumer  a consumer runs, and a partner that takes every order
//	bare      no orderq.yaml: without it the folder has one, which names Redis
//	on        it goes on in the folder, and with the servers, of the block before it
//
// In commands and in what they print the usual ports (6379, 8080, 9181, 9182) stand
// for those of the test, and redis-cli finds its server by itself.
//
// What is printed may differ from the document in blanks, moments, durations,
// entry ids and names of consumers. "..." is anything within a line; a line of
// it alone is any number of lines.
package docs
