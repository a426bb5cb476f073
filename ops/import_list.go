package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

// listImport is how orderq import-list was called.
type listImport struct {
	key, from, passwordFile string
	end, field              string
	idField                 string
	makeIDs                 bool
	rate                    int
	giveUp                  time.Duration
}

func newImportListCommand(open Open) *cobra.Command {
	var l listImport
	var why string
	cmd := &cobra.Command{
		Use:   "import-list KEY",
		Short: "Move the orders of an old Redis list into the queue",
		Long: "Takes orders out of a list that an older system fills and empties, and puts them\n" +
			"into the queue: the oldest first, byte for byte, each once. An item is removed\n" +
			"from the list only when it is safe in the queue, so whatever ends the command, the\n" +
			"same command goes on. Stop the old processor first; what pushes may go on.\n\n" +
			"What is no order (no JSON object, or without an id) and what has the id of another\n" +
			"order becomes a dead letter with all its bytes. An order that the queue knows is\n" +
			"counted and not sent twice. Orders without an id get one with --make-ids.\n\n" +
			"--from is another server, of any version: redis://[USER:PASSWORD@]HOST[:PORT][/DB], or\n" +
			"rediss:// with TLS. Others on this machine can read a password there:\n" +
			"--from-password-file keeps it from them. --dry-run reads the whole list and changes\n" +
			"nothing. Asks first, with the count.",
		Example: "  orderq import-list order_queue --dry-run\n" +
			"  orderq import-list order_queue --from redis://10.0.0.5:6379 --from-password-file old.password\n" +
			"  orderq import-list order_queue --end tail --field order_id=id --make-ids",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("import-list: want the list's key, as in orderq import-list order_queue; see orderq import-list --help")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			l.key = args[0]
			if err := l.check(); err != nil {
				return err
			}
			if err := viewOf(cmd).mayAsk(); err != nil {
				return err
			}
			return l.alter(cmd, open, why)
		},
	}
	f := cmd.Flags()
	f.StringVar(&l.from, "from", "", "the server with the list, if it is not the queue's own")
	f.StringVar(&l.passwordFile, "from-password-file", "", "file with that server's password")
	f.StringVar(&l.end, "end", "head", "where the old system took orders from: head (LPOP) or tail (RPOP, BRPOP)")
	f.StringVar(&l.field, "field", "", "order_id=NAME: the key of an order's id in the JSON (default producer.id_field)")
	f.BoolVar(&l.makeIDs, "make-ids", false, "give orders without an id one, from their bytes and their number")
	f.IntVar(&l.rate, "rate", 2000, "at most so many orders a second, so that Redis has time for others; 0: all it can")
	f.DurationVar(&l.giveUp, "give-up-after", 5*time.Minute, "how long to go on trying while a server is away")
	reasonFlag(cmd, &why)
	return cmd
}

// check looks at the flags.
func (l *listImport) check() error {
	switch {
	case l.end != "head" && l.end != "tail":
		return usagef("--end %s: want head, if the old system used LPOP, or tail, if RPOP or BRPOP", quoted(l.end))
	case l.rate < 0:
		return usagef("--rate %d: want a number of orders a second, or 0 for all it can", l.rate)
	case l.giveUp < 0:
		return usagef("--give-up-after %s: want no time below zero", l.giveUp)
	case l.passwordFile != "" && l.from == "":
		return usagef("--from-password-file: it is for --from; the queue's own server has redis.password_file")
	}
	if l.field != "" {
		name, ok := strings.CutPrefix(l.field, "order_id=")
		if !ok || name == "" {
			return usagef("--field %s: want order_id=NAME, where NAME is the key that holds the id", quoted(l.field))
		}
		l.idField = name
	}
	return nil
}

// alter opens both servers and lets the work begin.
func (l *listImport) alter(cmd *cobra.Command, open Open, why string) error {
	var from *streamutil.Client
	if l.from != "" {
		cfg, err := l.server()
		if err != nil {
			return err
		}
		from = streamutil.NewClient(cfg)
		defer from.Close()
	}
	opened := func() (Desk, error) {
		desk, err := open()
		if l.idField == "" {
			l.idField = cmp.Or(desk.IDField, "order_id")
		}
		return desk, err
	}
	return alter(cmd, opened, why, func(ctx context.Context, c *change) error {
		return c.importList(ctx, l, from)
	})
}

// importList looks at the list, asks, and moves what is in it.
func (c *change) importList(ctx context.Context, l *listImport, from *streamutil.Client) error {
	im := newImporting(c, l, from)
	head, tail, err := im.ends(ctx)
	if errors.Is(err, streamutil.ErrNoList) {
		c.say("%s has no list %s: nothing to import (an empty list is no key in Redis; is the name right, and the database?)", im.source.Redis(), quoted(l.key))
		if c.dryRun {
			f := im.forecast()
			return c.show(f, f.lines())
		}
		return im.result.show(c.view)
	}
	if err != nil {
		return im.sourceFault(ctx, err)
	}
	if _, err := c.inspect(ctx); err != nil {
		return err
	}
	im.items = head.Length
	c.say("list %s on %s: %s; the oldest, at the %s, is %s, and the newest %s", quoted(l.key), im.source.Redis(),
		several(int(head.Length), "item"), l.end, im.named(head), im.named(tail))
	if c.dryRun {
		return im.foretell(ctx)
	}
	question := fmt.Sprintf("import %s from %s at %s, oldest from the %s?", several(int(head.Length), "item"), quoted(l.key), im.source.Redis(), l.end)
	if err := c.confirm(ctx, question); err != nil {
		return err
	}
	if err := im.note(false, int(head.Length)); err != nil {
		return err
	}
	return im.finish(im.run(ctx))
}
