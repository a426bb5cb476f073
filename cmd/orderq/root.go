package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderq/ops"
)

// globalFlags may stand before or after any command. Commands that only look
// or change read the last seven by name from their flag set.
type globalFlags struct {
	config, queue string
	set           []string
	output        string
	limit         int
}

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "orderq",
		Short:         "Deliver a shop's orders to a partner's API, in order and no faster than agreed",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          subcommandArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageErrorf("%s; see %s --help", oneLine(err.Error()), cmd.CommandPath())
	})
	a.addGlobalFlags(root)
	root.AddCommand(newProducerCommand(a), newConsumerCommand(a), newDevCommand(a), newConfigCommand(a), newBenchCommand(a), newVersionCommand(a), newManCommand())
	root.AddCommand(ops.Commands(a.openQueue)...)
	root.SetHelpCommand(newHelpCommand())
	// Added here rather than by Execute, so that it is wrapped like the rest.
	root.InitDefaultCompletionCmd()
	a.wrap(root)
	return root
}

func (a *app) addGlobalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.flags.config, "config", "", "configuration file (default $ORDERQ_CONFIG, ./orderq.yaml, /etc/orderq/orderq.yaml)")
	f.StringVar(&a.flags.queue, "queue", "", "name of the queue (queue.name)")
	f.StringArrayVar(&a.flags.set, "set", nil, "set one key, as in --set consumer.pace=2/s; may be repeated")
	f.StringVarP(&a.flags.output, "output", "o", "table", "table, json or jsonl")
	// It fails only for a flag that is not there.
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "jsonl"}, cobra.ShellCompDirectiveNoFileComp))
	f.Bool("no-headers", false, "leave out the heading of tables")
	f.IntVar(&a.flags.limit, "limit", 50, "how many rows at most")
	f.Bool("utc", false, "show times in UTC")
	f.Bool("yes", false, "do not ask before a change")
	f.Bool("dry-run", false, "say what a change would do, and do nothing")
	f.Bool("body", false, "show the orders' bodies too")
}

// wrap notes for every command that its own code begins, after the global
// flags were checked.
func (a *app) wrap(cmd *cobra.Command) {
	if !cmd.Runnable() {
		cmd.Args, cmd.RunE = subcommandArgs, needsSubcommand
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := a.flags.check(); err != nil {
				return err
			}
			if err := refuseIdleFlags(cmd); err != nil {
				return err
			}
			a.running = true
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		a.wrap(sub)
	}
}

// refuseIdleFlags refuses what has no meaning for a process that stays: who types
// orderq consumer --dry-run does not want orders to be sent.
func refuseIdleFlags(cmd *cobra.Command) error {
	if cmd.Annotations[stays] == "" {
		return nil
	}
	for _, name := range []string{"output", "no-headers", "limit", "utc", "yes", "dry-run", "body"} {
		if cmd.Flags().Changed(name) {
			return usageErrorf("%s takes no --%s", cmd.CommandPath(), name)
		}
	}
	return nil
}

// stays marks the commands whose process goes on until it is told to end.
const stays = "stays"

func (f globalFlags) check() error {
	if !slices.Contains([]string{"table", "json", "jsonl"}, f.output) {
		return usageErrorf("-o %q: want table, json or jsonl", f.output)
	}
	if f.limit < 1 {
		return usageErrorf("--limit %d: want at least 1", f.limit)
	}
	for _, assigned := range f.set {
		if !strings.Contains(assigned, "=") {
			return usageErrorf("--set %s: want KEY=VALUE, such as --set consumer.pace=2/s", shown(assigned))
		}
	}
	return nil
}

// newHelpCommand is cobra's, but for a name that is none: that is an error.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if err := subcommandArgs(about, rest); err != nil {
				return err
			}
			return about.Help()
		},
	}
}

// lookup gives a variable of the environment, or nothing.
func (a *app) lookup(name string) string { return sources{environ: a.environ}.lookup(name) }

// load reads the configuration for a command.
func (a *app) load(r role) (*loaded, error) {
	return load(sources{
		config: a.flags.config, queue: a.flags.queue, set: a.flags.set,
		environ: a.environ, system: a.system,
	}, r)
}

// subcommandArgs refuses what is no command, with the nearest one that is.
func subcommandArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageErrorf("unknown command %s for %s%s; see %s --help",
		shown(args[0]), cmd.CommandPath(), didYouMean(args[0], commandNames(cmd)), cmd.CommandPath())
}

func needsSubcommand(cmd *cobra.Command, _ []string) error {
	return usageErrorf("%s: want a command: %s", cmd.CommandPath(), strings.Join(commandNames(cmd), ", "))
}

func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}
