// Package dashboard holds the Grafana dashboard as data and writes it as JSON in
// Grafana's classic model, which versions 10 to 13 load.
//
// [Build] is the whole of it. The rows are in row_*.go, the PromQL they share in
// query.go, the looks of a panel in panel.go, and the JSON model in model.go.
// After a change run make dashboard: a test compares deploy/grafana/orderq.json
// with what Build gives.
package dashboard

//go:generate go test -count=1 -run TestFileIsCurrent -update .
