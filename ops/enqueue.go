package ops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
)

// enqueueing is how orderq enqueue was called.
type enqueueing struct {
	url, tokenFile, idField string
	giveUp                  time.Duration
}

func newEnqueueCommand() *cobra.Command {
	var e enqueueing
	cmd := &cobra.Command{
		Use:   "enqueue [FILE|-] --url U",
		Short: "Submit the orders of a file through the producer's API",
		Long: "Reads orders from FILE or standard input: a JSON array, one object, objects one\n" +
			"after another, or one a line (NDJSON). They are submitted in this order, byte for\n" +
			"byte as they stand there, and checked by the producer; what it rejects is told with\n" +
			"its line. While the producer is away or full, it is asked again. An order larger\n" +
			"than 1 MiB is not sent, whatever producer.max_body takes.\n\n" +
			"The orders need their ids in them. Then the same command may be run again at any\n" +
			"time, as after Ctrl-C: what was accepted is recognised, and counted as duplicates.\n" +
			"Exit code 0 says that all orders are in the queue.",
		Example: "  orderq enqueue orders.json\n" +
			"  orderq enqueue orders.ndjson --url https://shop.example/queue --token-file token\n" +
			"  zcat orders.gz | orderq enqueue --dry-run",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "-"
			if len(args) > 0 {
				name = args[0]
			}
			return e.run(cmd.Context(), viewOf(cmd), name)
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.url, "url", "http://127.0.0.1:8080", "base address of the producer: http, https or unix:/path.sock")
	f.StringVar(&e.tokenFile, "token-file", "", "file with the secret of a token that has the scope submit")
	f.DurationVar(&e.giveUp, "give-up-after", 5*time.Minute, "how long to go on trying without any progress")
	f.StringVar(&e.idField, "id-field", "order_id", "the key of an order's id, as producer.id_field; for --dry-run and messages")
	return cmd
}

func (e enqueueing) run(ctx context.Context, v view, file string) error {
	if e.giveUp < 0 {
		return usagef("--give-up-after %s: want no time below zero", e.giveUp)
	}
	token, err := readToken(e.tokenFile)
	if err != nil {
		return err
	}
	to, err := newSubmitter(e.url, token)
	if err != nil {
		return err
	}
	defer to.http.CloseIdleConnections()
	l := &loader{view: v, to: to, giveUp: e.giveUp, idField: e.idField, began: time.Now(), progress: newProgress(v)}
	source, err := l.open(file)
	if err != nil {
		return err
	}
	defer source.Close()
	l.sum.DryRun = v.dryRun
	if v.dryRun {
		l.say("dry run: nothing is sent")
	} else {
		l.say("enqueue to %s", e.url)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the reader
	c := read(ctx, newInput(source))
	if v.dryRun {
		return l.finish(l.check(ctx, c))
	}
	return l.finish(l.load(ctx, c))
}

// open opens the input; a file of known size shows how much of it was read.
func (l *loader) open(file string) (io.ReadCloser, error) {
	if file == "-" {
		l.name = "stdin"
		if isTerminal(l.in) {
			l.say("reading orders from the terminal; Ctrl-D ends them")
		}
		return io.NopCloser(l.in), nil
	}
	l.name = file
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open the orders: %w", err)
	}
	info, err := f.Stat()
	switch {
	case err == nil && info.IsDir():
		err = &fs.PathError{Op: "read", Path: file, Err: errors.New("is a directory")}
	case err == nil && info.Mode().IsRegular() && info.Size() > 0:
		counted := &countedFile{File: f}
		l.read = func() float64 { return min(float64(counted.n.Load())/float64(info.Size()), 1) }
		return counted, nil
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open the orders: %w", err)
	}
	return f, nil
}

// countedFile counts the bytes that were read. One goroutine reads and another
// looks.
type countedFile struct {
	*os.File
	n atomic.Int64
}

// Read implements [io.Reader].
func (c *countedFile) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	c.n.Add(int64(n))
	return n, err
}
