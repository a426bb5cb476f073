package main

import "github.com/spf13/cobra"

func newBenchCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure this machine: how fast orders are taken"}
	cmd.AddCommand(newBenchHTTPCommand(a))
	return cmd
}
