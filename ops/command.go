package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// patience is how long a command waits for each answer of Redis.
const patience = 5 * time.Second

// Desk is where an operator works: at a queue, under a name.
type Desk struct {
	Queue *streamutil.Queue
	// Who is recorded with every change, such as anna@shop-1.
	Who string
	// IDField is the key that orders have their id under; empty means order_id.
	IDField string
	// Close ends the connection.
	Close func()
	// Findings is what doctor adds of all that only the program knows: its
	// configuration, its files, the partner's address. Nil adds nothing.
	Findings func(context.Context) []Finding
}

// Open connects to the queue that the program's configuration names.
type Open func() (Desk, error)

// Commands returns the operators' commands. They read the program's global
// flags (output, no-headers, limit, utc, yes, dry-run, body; for the lines that say
// how to undo a change also config, queue and set) from the command line they
// are part of. Their errors tell the program's exit code by a method ExitCode,
// or match [streamutil.ErrNotFound]; one without a text was already told.
func Commands(open Open) []*cobra.Command {
	return []*cobra.Command{
		newCheckCommand(open), newDoctorCommand(open),
		newStatusCommand(open), newListCommand(open), newShowCommand(open), newPendingCommand(open),
		newConsumersCommand(open), newTailCommand(open),
		newPauseCommand(open), newResumeCommand(open), newPaceCommand(open),
		newRetryCommand(open), newCancelCommand(open), newDeadCommand(open), newPurgeCommand(open), newEnqueueCommand(),
		newImportListCommand(open), newBackupCommand(open), newRestoreCommand(open),
	}
}

// ask opens the queue and asks it one thing.
func ask[T any](ctx context.Context, open Open, question func(context.Context, *streamutil.Queue) (T, error)) (T, error) {
	desk, err := open()
	if err != nil {
		var none T
		return none, err
	}
	defer desk.Close()
	return call(ctx, desk.Queue, question)
}

// call asks an open queue one thing, and says what to do if Redis is away.
func call[T any](ctx context.Context, q *streamutil.Queue, question func(context.Context, *streamutil.Queue) (T, error)) (T, error) {
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := question(patient, q)
	if err != nil {
		var none T
		return none, advised(ctx, q, err)
	}
	return answer, nil
}

// advised adds to an error what to do if Redis is away.
func advised(ctx context.Context, q *streamutil.Queue, err error) error {
	switch {
	case ctx.Err() != nil:
		return &exit{code: exitFailed, text: "interrupted"}
	case errors.Is(err, streamutil.ErrReplicas):
		return fmt.Errorf("%s takes no writes: %w; see whether its replicas run", q.Redis(), err)
	case streamutil.ErrorKind(err) == "readonly":
		return fmt.Errorf("%s takes no writes: %w; if it is a replica, set redis.addresses to its master, else see what orderq doctor says", q.Redis(), err)
	case strings.Contains(err.Error(), "WRONGTYPE"):
		return fmt.Errorf("%s: %s: %w", q.Redis(), overwritten(ctx, q), err)
	case strings.Contains(err.Error(), "DB index is out of range"):
		return fmt.Errorf("%s: %w; see redis.db in orderq config print, and how many databases this Redis has", q.Redis(), err)
	case streamutil.ErrorKind(err) == "auth":
		return fmt.Errorf("%s refuses us: %w; see redis.username, redis.password_file and its ACL", q.Redis(), err)
	case errors.Is(err, streamutil.ErrSchema):
		return fmt.Errorf("%s: %w", q.Redis(), err) // which says it all
	case q.TLS() && slices.Contains([]string{"timeout", "connection"}, streamutil.ErrorKind(err)):
		return fmt.Errorf("%s does not answer (%w); see whether it runs, redis.addresses in orderq config print, and whether TLS is spoken there: redis.tls is on", q.Redis(), err)
	case errors.Is(err, streamutil.ErrUnavailable):
		return fmt.Errorf("%s does not answer (%w); see whether it runs, and redis.addresses in orderq config print", q.Redis(), err)
	}
	return err
}

// overwritten says which of the queue's keys is of another type, as far as that shows.
func overwritten(ctx context.Context, q *streamutil.Queue) string {
	if keys := q.WrongTypes(ctx); len(keys) > 0 {
		return "somebody has written over " + strings.Join(keys, ", ") + ", so that it is of another type; delete it"
	}
	return "somebody has written over one of the keys orderq:{" + q.Name() + "}:*, so that it is of another type (redis-cli TYPE KEY); delete that one"
}

// inspect is the question that most commands begin with.
func inspect(ctx context.Context, q *streamutil.Queue) (streamutil.Snapshot, error) {
	return q.Inspect(ctx)
}

// view is how the user wants to see data, and to be asked.
type view struct {
	in        io.Reader
	out, errs io.Writer
	format    string // table, json or jsonl
	noHeaders bool
	utc       bool
	limit     int
	yes       bool
	dryRun    bool
	// body is whether orders' bodies are to be seen.
	body bool
	// attended is whether a person sees a question and can answer it.
	attended bool
	// again is how a command line for the same queue begins: orderq --queue shop.
	again string
}

func viewOf(cmd *cobra.Command) view {
	f := cmd.Flags()
	v := view{in: cmd.InOrStdin(), out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr(), again: again(cmd)}
	v.attended = isTerminal(v.in) && isTerminal(v.errs)
	v.format, _ = f.GetString("output") // the flags are the program's own: present, and checked
	v.noHeaders, _ = f.GetBool("no-headers")
	v.utc, _ = f.GetBool("utc")
	v.limit, _ = f.GetInt("limit")
	v.yes, _ = f.GetBool("yes")
	v.dryRun, _ = f.GetBool("dry-run")
	v.body, _ = f.GetBool("body")
	return v
}

// exit is an error that says how the program ends. Without a text all has been
// told.
type exit struct {
	code int
	text string
}

// The exit codes that a command decides on itself.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
)

// Error implements error.
func (e *exit) Error() string { return e.text }

// ExitCode is how the program ends.
func (e *exit) ExitCode() int { return e.code }

func usagef(format string, args ...any) error {
	return &exit{code: exitUsage, text: fmt.Sprintf(format, args...)}
}
