package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newConfigCommand gives orderq config with check and print.
func newConfigCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check the configuration, or print it with where each value came from",
	}
	cmd.AddCommand(newConfigCheckCommand(a), newConfigPrintCommand(a))
	return cmd
}

func newConfigCheckCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check [producer|consumer]",
		Short: "Say ok, or everything that is wrong and exit 78",
		Long: "Reads the configuration as the other commands do, and the files it names.\n" +
			"With producer or consumer, also asks for what that command requires.",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{string(roleProducer), string(roleConsumer)},
		RunE: func(_ *cobra.Command, args []string) error {
			r := roleAny
			if len(args) == 1 {
				r = role(args[0])
			}
			c, err := a.load(r)
			if err != nil {
				return err
			}
			for _, note := range c.Notes {
				fmt.Fprintln(a.stderr, "note:", note)
			}
			if r == roleAny && c.Consumer.API.URL == "" {
				fmt.Fprintln(a.stderr, "note: consumer.api.url is not set; orderq consumer will ask for it")
			}
			_, err = fmt.Fprintf(a.stdout, "ok: %s\n", c.summary(len(leaves(&c.Config))))
			return err
		},
	}
}

func newConfigPrintCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "print",
		Short: "Print the effective values as YAML, secrets hidden",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.load(roleNone)
			if err != nil {
				return err
			}
			return c.print(a.stdout)
		},
	}
}
