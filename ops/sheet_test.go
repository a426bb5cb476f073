package ops

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestSheetWritesEveryFormPageByPage(t *testing.T) {
	type item struct {
		N    int    `json:"n"`
		Text string `json:"text"`
	}
	for _, n := range []int{0, 1, page, 2*page + 1} {
		list := make([]item, n)
		for i := range list {
			list[i] = item{N: i, Text: "<&>"}
		}
		write := func(format string) string {
			var b bytes.Buffer
			err := rows(view{out: &b, format: format}, list, []string{"N"}, func(i item) []string { return []string{fmt.Sprint(i.N)} })
			if err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		var whole bytes.Buffer
		enc := json.NewEncoder(&whole)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(list); err != nil {
			t.Fatal(err)
		}
		if got := write("json"); got != whole.String() {
			t.Errorf("%d rows in JSON: got %q, want %q", n, got, whole.String())
		}
		if got := write("jsonl"); strings.Count(got, "\n") != n {
			t.Errorf("%d rows as lines: got %q", n, got)
		}
		if got := write("table"); strings.Count(got, "\n") != n+1 || strings.Count(got, "N\n") != 1 {
			t.Errorf("%d rows as a table: got %q", n, got)
		}
	}
}

func TestTablesKeepControlCharactersOut(t *testing.T) {
	var b bytes.Buffer
	if err := (view{out: &b}).table([][]string{{"a\tb\nc\x1b[2J", "d"}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "a b c [2J\td\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
