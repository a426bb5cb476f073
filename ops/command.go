package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// patience is how long a command waits for Redis.
const patience = 5 * time.Second

// Open connects to the queue that the program's configuration names. The
// function it returns closes the connection.
type Open func() (*streamutil.Queue, func(), error)

// Commands returns the operators' commands. They read the program's global
// flags (output, no-headers, limit, utc) from the command line they are part of.
func Commands(open Open) []*cobra.Command {
	return []*cobra.Command{newStatusCommand(open), newPendingCommand(open)}
}

// ask opens the queue, asks it one thing, and says what to do if Redis is away.
func ask[T any](ctx context.Context, open Open, question func(context.Context, *streamutil.Queue) (T, error)) (T, error) {
	var none T
	q, done, err := open()
	if err != nil {
		return none, err
	}
	defer done()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := question(ctx, q)
	if errors.Is(err, streamutil.ErrUnavailable) {
		return none, fmt.Errorf("%s does not answer (%w); see whether it runs, and redis.addresses in orderq config print", q.Redis(), err)
	}
	return answer, err
}

// view is how the user wants to see data.
type view struct {
	out       io.Writer
	format    string // table, json or jsonl
	noHeaders bool
	utc       bool
	limit     int
}

func viewOf(cmd *cobra.Command) view {
	f := cmd.Flags()
	v := view{out: cmd.OutOrStdout()}
	v.format, _ = f.GetString("output") // the flags are the program's own: present, and checked
	v.noHeaders, _ = f.GetBool("no-headers")
	v.utc, _ = f.GetBool("utc")
	v.limit, _ = f.GetInt("limit")
	return v
}
