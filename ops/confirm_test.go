package ops

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"orderq/streamutil"
)

func TestConfirm(t *testing.T) {
	for _, tt := range []struct {
		name, answer  string
		yes, attended bool
		code          int // 0: goes on
		asked         bool
	}{
		{name: "yes", answer: "y\n", attended: true, asked: true},
		{name: "a longer yes", answer: " YES \n", attended: true, asked: true},
		{name: "no", answer: "n\n", attended: true, asked: true, code: 1},
		{name: "only return", answer: "\n", attended: true, asked: true, code: 1},
		{name: "something else", answer: "yesterday\n", attended: true, asked: true, code: 1},
		{name: "the end of input", answer: "", attended: true, asked: true, code: 1},
		{name: "--yes", yes: true, attended: true},
		{name: "--yes without a terminal", yes: true},
		{name: "nobody to ask", answer: "y\n", code: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var errs bytes.Buffer
			v := view{in: strings.NewReader(tt.answer), errs: &errs, yes: tt.yes, attended: tt.attended}
			err := v.confirm(t.Context(), "remove 3 dead letters for good?")
			if e, ok := errors.AsType[*exit](err); ok != (tt.code > 0) || ok && e.code != tt.code {
				t.Errorf("got %v, want code %d", err, tt.code)
			}
			want := ""
			if tt.asked {
				want = "remove 3 dead letters for good? [y/N] "
			}
			if errs.String() != want {
				t.Errorf("asked %q, want %q", errs.String(), want)
			}
		})
	}
}

func TestAnInterruptedQuestionIsANo(t *testing.T) {
	in, typing := io.Pipe()
	defer typing.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	v := view{in: in, errs: io.Discard, attended: true}
	if err := v.confirm(ctx, "really?"); err == nil || err.Error() != "nothing was changed" {
		t.Errorf("got %v", err)
	}
}

func TestAnInterruptIsNotTakenForRedisBeingAway(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	_, err := call(ctx, nil, func(ctx context.Context, _ *streamutil.Queue) (int, error) {
		interrupt()
		return 0, errors.Join(streamutil.ErrUnavailable, ctx.Err())
	})
	if err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v", err)
	}
}

func TestAgainReachesTheSameQueue(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "orderq"},
		{[]string{"--queue", "shop"}, "orderq --queue shop"},
		{[]string{"--config", "/etc/our shop.yaml"}, "orderq --config '/etc/our shop.yaml'"},
		{
			[]string{"--set", "redis.addresses=a:1,b:2", "--set", "redis.password=secret", "--set", "log.level=debug", "--set", "queue.name=x"},
			"orderq --set redis.addresses=a:1,b:2 --set queue.name=x",
		},
	} {
		root := &cobra.Command{Use: "orderq", RunE: func(cmd *cobra.Command, _ []string) error {
			if got := again(cmd); got != tt.want {
				t.Errorf("%q: got %q, want %q", tt.args, got, tt.want)
			}
			return nil
		}}
		root.Flags().String("queue", "", "")
		root.Flags().String("config", "", "")
		root.Flags().StringArray("set", nil, "")
		root.SetArgs(append([]string{}, tt.args...))
		if err := root.Execute(); err != nil {
			t.Error(err)
		}
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"plain-word_1": "plain-word_1", "": "''", "two words": "'two words'", "it's": `'it'\''s'`, "$(rm)": "'$(rm)'", "~": "'~'",
	} {
		if got := quoted(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}
