package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// severity is how check ends: its exit code too, as monitoring plugins have it.
type severity int

const (
	checkOK severity = iota
	checkWarning
	checkCritical
	checkUnknown
)

// String is the word that plugins say.
func (s severity) String() string { return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s] }

// MarshalText writes the same in JSON.
func (s severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func newCheckCommand(open Open) *cobra.Command {
	var l limits
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say in one line for monitoring whether the queue is well",
		Long: "One line in the form of Nagios and Icinga plugins, with performance data, within\n" +
			"three seconds. It looks at the queue, not at Redis's settings (orderq doctor does).\n\n" +
			"Critical: work waits and no consumer lives; nobody can send, whatever the reason;\n" +
			"the partner refuses our credentials; new orders are refused.\n" +
			"Warning: paused by an operator; held, as the partner asked or since nobody gets\n" +
			"through; dead letters; a consumer that cannot work; a queue that was never used, as\n" +
			"one whose name is mistyped. And the limits below: each is reached at its value, and\n" +
			"0 turns it off.\n\n" +
			"Exits 0 ok, 1 warning, 2 critical, 3 unknown (Redis does not answer). As with every\n" +
			"command a mistyped one exits 2, and a bad configuration 78: see that once it works.",
		Example: "  orderq check\n  orderq check --warn-oldest 5m --crit-oldest 20m --crit-dead 100\n" +
			"  orderq check >/tmp/orderq || mail -s \"$(cat /tmp/orderq)\" ops@shop.example </dev/null",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := l.check(); err != nil {
				return err
			}
			return runCheck(cmd.Context(), open, viewOf(cmd), l)
		},
	}
	l.flags(cmd)
	return cmd
}

// limit is when a value is worth a warning, and when it is critical; 0 is never.
type limit[T int64 | time.Duration] struct{ warn, crit T }

// reached says how bad a value is.
func (l limit[T]) reached(value T) severity {
	switch {
	case l.crit > 0 && value >= l.crit:
		return checkCritical
	case l.warn > 0 && value >= l.warn:
		return checkWarning
	}
	return checkOK
}

func (l limit[T]) check(name string) error {
	if l.warn < 0 || l.crit < 0 {
		return usagef("--warn-%[1]s, --crit-%[1]s: want 0, for none, or more", name)
	}
	if l.warn > 0 && l.crit > 0 && l.warn > l.crit {
		return usagef("--warn-%[1]s %[2]v is above --crit-%[1]s %[3]v: it would never be a warning; 0 turns either off", name, l.warn, l.crit)
	}
	return nil
}

// limits are the values of check's flags.
type limits struct {
	waiting, dead limit[int64]
	oldest, drain limit[time.Duration]
}

func (l *limits) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	count := func(p *int64, name string, preset int64, what string) { f.Int64Var(p, name, preset, what) }
	count(&l.waiting.warn, "warn-waiting", 0, "warning at so many waiting orders")
	count(&l.waiting.crit, "crit-waiting", 0, "critical at so many waiting orders")
	count(&l.dead.warn, "warn-dead", 1, "warning at so many dead letters")
	count(&l.dead.crit, "crit-dead", 0, "critical at so many dead letters")
	f.DurationVar(&l.oldest.warn, "warn-oldest", 15*time.Minute, "warning when the oldest unfinished order is so old")
	f.DurationVar(&l.oldest.crit, "crit-oldest", time.Hour, "critical when the oldest unfinished order is so old")
	f.DurationVar(&l.drain.warn, "warn-drain", 0, "warning when the backlog takes so long at the present pace")
	f.DurationVar(&l.drain.crit, "crit-drain", 0, "critical when the backlog takes so long at the present pace")
}

func (l limits) check() error {
	return errors.Join(l.waiting.check("waiting"), l.dead.check("dead"), l.oldest.check("oldest"), l.drain.check("drain"))
}

// checked is what check found out, and shows in JSON; scripts rely on its keys.
type checked struct {
	Result severity `json:"result"`
	// Problems say why it is not OK, the worst first.
	Problems []string `json:"problems"`
	Queue    string   `json:"queue"`
	// Status is null if Redis did not answer.
	Status *status `json:"status"`
}

func runCheck(ctx context.Context, open Open, v view, l limits) error {
	desk, err := open()
	if err != nil {
		return err
	}
	q := desk.Queue
	c := checked{Queue: q.Name(), Problems: []string{}}
	s, err := call(ctx, q, inspect) // which takes two seconds at most
	if err != nil {
		c.Result, c.Problems = checkUnknown, []string{err.Error()}
		go desk.Close() // which waits for a server that hangs; the program ends before
	} else {
		desk.Close()
		c.judge(s, q.MaxBacklog(), l)
		st := newStatus(c.Queue, s)
		c.Status = &st
	}
	if v.format != "table" {
		err = v.json(c)
	} else {
		_, err = fmt.Fprintln(v.out, c.line(s, l))
	}
	if err == nil && c.Result != checkOK {
		return &exit{code: int(c.Result)} // all was told
	}
	return err
}

// line is what plugins print: the state, what is wrong, some figures for
// people, and after the bar all of them for machines.
func (c checked) line(s streamutil.Snapshot, l limits) string {
	text := fmt.Sprintf("ORDERQ %s - %s: ", c.Result, c.Queue)
	if c.Result == checkUnknown {
		return text + plain(strings.Join(c.Problems, "; "))
	}
	if !slices.Contains(c.Problems, stateText(s)) {
		text += string(s.State) + ", "
	}
	text += strings.Join(append(slices.Clone(c.Problems), fmt.Sprintf("%d waiting", s.Waiting)), ", ")
	if s.Length > 0 {
		text += ", oldest " + span(s.Oldest)
	}
	return plain(text) + " | " + strings.Join(perfdata(s, l), " ")
}

// plain keeps a text on one line, and before the bar.
func plain(text string) string { return strings.ReplaceAll(printable(text), "|", "/") }
