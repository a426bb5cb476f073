package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// Verdict is how one check of doctor ended.
type Verdict string

// The verdicts.
const (
	// Pass: all is well.
	Pass Verdict = "PASS"
	// Warn: it works now, and something about it is not as it should be.
	Warn Verdict = "WARN"
	// Fail: orders are refused, not sent, or can be lost.
	Fail Verdict = "FAIL"
)

// Finding is what one check of doctor found. It shows no secrets.
type Finding struct {
	// Check names what was looked at, in a word or two.
	Check string
	// Result is how it is, and Detail says so for people.
	Result Verdict
	Detail string
	// Mend is the command, or the setting, that mends it; empty with Pass.
	Mend string
}

func newDoctorCommand(open Open) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Examine Redis, the queue, the partner's address and the configuration",
		Long: "One line a check: PASS, WARN or FAIL, and below it the command that mends it. What\n" +
			"is not configured is not looked at. It changes nothing and sends no order: of the\n" +
			"partner it wants only a connection and a TLS handshake.\n\n" +
			"Run it as the user, and on the machine, that the service runs as: rights to files\n" +
			"and ways through the network differ. Exits 1 if anything is FAIL, 78 if the\n" +
			"configuration cannot be used at all (see orderq config check), else 0.",
		Example: "  orderq doctor\n  sudo -u orderq orderq doctor\n  orderq doctor -o json | jq '.[] | select(.result != \"PASS\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return seeDoctor(cmd.Context(), open, viewOf(cmd))
		},
	}
}

func seeDoctor(ctx context.Context, open Open, v view) error {
	desk, err := open()
	if err != nil {
		return err
	}
	defer desk.Close()
	found, unseen := examine(ctx, desk.Queue, v.again)
	if desk.Findings != nil && ctx.Err() == nil {
		found = append(found, desk.Findings(ctx)...)
	}
	if ctx.Err() != nil {
		return &exit{code: exitFailed, text: "interrupted"}
	}
	if err := v.findings(found); err != nil {
		return err
	}
	if len(unseen) > 0 {
		fmt.Fprintf(v.errs, "not looked at, since %s does not tell: %s\n", desk.Queue.Redis(), strings.Join(unseen, ", "))
	}
	return sumUp(v, found)
}

// examine looks at Redis and at the queue. unseen is what Redis would not tell.
func examine(ctx context.Context, q *streamutil.Queue, again string) (found []Finding, unseen []string) {
	p := &patient{again: again, redis: q.Redis()}
	var err error
	if p.exam, err = call(ctx, q, func(ctx context.Context, q *streamutil.Queue) (streamutil.Examination, error) {
		return q.Examine(ctx)
	}); err != nil {
		p.fail("redis", again+" config print", "%v", err)
		return p.found, nil
	}
	p.judgeServer()
	if p.exam.Persistence.Loading {
		return p.found, nil // it answers nothing about the queue
	}
	p.judgeAccess()
	unseen = slices.DeleteFunc(p.exam.Unseen, func(command string) bool {
		return slices.Contains(p.exam.Access.Missing, strings.ToLower(command)) // was told
	})
	p.queue, err = call(ctx, q, inspect)
	switch {
	case err == nil:
		p.judgeQueue()
	case streamutil.ErrorKind(err) == "auth" && len(p.exam.Access.Missing) > 0:
		unseen = append(unseen, "all about the queue")
	case errors.Is(err, streamutil.ErrSchema):
		p.fail("queue", "upgrade orderq on this machine", "%v", err)
	default:
		p.fail("queue", again+" status", "%v", err)
	}
	return p.found, unseen
}

// patient is what is judged, and what was found so far.
type patient struct {
	exam  streamutil.Examination
	queue streamutil.Snapshot
	// again is how a command line of ours begins, redis where Redis is.
	again, redis string
	found        []Finding
}

func (p *patient) pass(check, format string, args ...any) {
	p.found = append(p.found, Finding{Check: check, Result: Pass, Detail: fmt.Sprintf(format, args...)})
}

func (p *patient) warn(check, mend, format string, args ...any) {
	p.found = append(p.found, Finding{Check: check, Result: Warn, Detail: fmt.Sprintf(format, args...), Mend: mend})
}

func (p *patient) fail(check, mend, format string, args ...any) {
	p.found = append(p.found, Finding{Check: check, Result: Fail, Detail: fmt.Sprintf(format, args...), Mend: mend})
}
