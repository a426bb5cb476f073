package ops

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// mayAsk fails if there is nobody to ask. A change that asks first looks at it
// before all else, so that a script fails alike whatever the queue holds.
func (v view) mayAsk() error {
	if v.yes || v.dryRun || v.attended {
		return nil
	}
	return usagef("this change asks first, and there is no terminal to ask on: --yes makes it unasked, --dry-run shows what it would change")
}

// confirm asks before a change. Only y or yes goes on, and --yes is not asked.
func (v view) confirm(ctx context.Context, question string) error {
	if v.yes {
		return nil
	}
	if err := v.mayAsk(); err != nil {
		return err
	}
	fmt.Fprintf(v.errs, "%s [y/N] ", question)
	answer := make(chan string, 1)
	// A read from a terminal cannot be cut short. After Ctrl-C it is left
	// behind, and ends with the program.
	go func() {
		line, _ := bufio.NewReader(v.in).ReadString('\n') // an end without an answer is a no
		answer <- line
	}()
	select {
	case text := <-answer:
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "y", "yes":
			return nil
		}
	case <-ctx.Done():
		fmt.Fprintln(v.errs)
	}
	return &exit{code: exitFailed, text: "nothing was changed"}
}

// several words a count: 1 order, 2 orders.
func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
