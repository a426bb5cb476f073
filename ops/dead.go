package ops

import "github.com/spf13/cobra"

func newDeadCommand(open Open) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "Deal with dead letters: orders that were set aside for a person",
	}
	cmd.AddCommand(newDeadListCommand(open), newDeadShowCommand(open), newDeadRequeueCommand(open), newDeadDropCommand(open))
	return cmd
}
