// Package monitoring has only tests: that the rules in deploy/prometheus, their
// tests and the runbooks fit together and fit the program, and that an alert
// travels from the program to whoever is called (build tag prometheus).
package monitoring
