package ops

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readAll lists what an input holds: LINE:BODY, with + for an order that must
// go by itself, and its error at the end.
func readAll(r io.Reader) []string {
	var list []string
	for in := newInput(r); ; {
		order, err := in.next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			return append(list, "error "+err.Error())
		}
		plus := ""
		if order.byItself() {
			plus = "+"
		}
		text := fmt.Sprintf("%d%s:%s", order.line, plus, order.body)
		if order.body == nil {
			text = fmt.Sprintf("%d:too large", order.line)
		}
		list = append(list, text)
	}
}

func TestInputIsToldApartByLooking(t *testing.T) {
	huge := `{"id":"` + strings.Repeat("x", maxOrder) + `"}`
	tall := "{\n" + strings.Repeat(" \n", maxOrder) + "}"
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"only space", " \r\n\t\n ", nil},
		{"one object", `{"a":1}`, []string{`1:{"a":1}`}},
		{"lines", "{\"a\":1}\n{\"a\":2}\n", []string{`1:{"a":1}`, `2:{"a":2}`}},
		{"lines of Windows, with its mark", "\xef\xbb\xbf{\"a\":1}\r\n\r\n{\"a\":2}\r\n", []string{`1:{"a":1}`, `3:{"a":2}`}},
		{"a line keeps its space", "\n  {\"a\": 1} \n", []string{`2:  {"a": 1} `}},
		{"brackets in text", `{"a":"}\"{[","b":"\\"}` + "\n{}", []string{`1:{"a":"}\"{[","b":"\\"}`, "2:{}"}},
		{"broken lines are given as they are", "{\"a\":1}\nnot\n{\"a\n{]\n[1]\n{\"a\":}\n{} x\n{\"a\":2}", []string{
			`1:{"a":1}`, "2:not", `3:{"a`, "4:{]", "5:[1]", `6:{"a":}`, "7:{} x", `8:{"a":2}`,
		}},
		{"a line that was cut short", "{\"a\":1,\n{\"a\":2}\n{\"a\":\n{\"a\":3}\n{\"a\":4}\n", []string{
			`1:{"a":1,`, `2:{"a":2}`, `3:{"a":`, `4:{"a":3}`, `5:{"a":4}`,
		}},
		{"the last line was cut short", "{\"a\":1}\n{\"a\":", []string{`1:{"a":1}`, `2:{"a":`}},
		{"the last but one was cut short", "{\"a\":\n{\"a\":1}\n", []string{`1:{"a":`, `2:{"a":1}`}},
		{"what a producer takes for no line", "\u00a0\n{}\r\r\n", []string{"1+:\u00a0", "2+:{}\r"}},
		{"several on a line", `{"a":1}{"a":2} {"a":3}`, []string{`1:{"a":1}`, `1:{"a":2}`, `1:{"a":3}`}},
		{"objects over several lines", "{\n \"a\": 1\r\n}\n {\"a\": [\n2]} {\n}\n", []string{"1+:{\n \"a\": 1\r\n}", "4+:{\"a\": [\n2]}", "5+:{\n}"}},
		{"objects of both kinds", "{}\n{\n}\n{}\n", []string{"1:{}", "2+:{\n}", "4:{}"}},
		{"an object without indentation", "{\n\"a\": [\n{\"b\":1},\n{\"b\":2}\n]\n}\n{}", []string{"1+:{\n\"a\": [\n{\"b\":1},\n{\"b\":2}\n]\n}", "7:{}"}},
		{"an object that breaks off", "{\n}\n{\n \"a\":\n", []string{"1+:{\n}", "error 3:1: the input ends within the order that begins here"}},
		{"a broken object", "{\n}\n{\n \"a\": 1\n \"b\": 2\n}\n", []string{"1+:{\n}", "error 5:2: not JSON from here on"}},
		{"text without its end", "{\n \"a\": \"x,\n \"b\": 2\n}\n", []string{"error 2:10: not JSON from here on"}},
		{"a comma between objects", "{\n},\n{\n}", []string{"1+:{\n}", "error 2:2: an order must begin here, with {"}},
		{"array", `[{"a":1},{"a":2}]`, []string{`1:{"a":1}`, `1:{"a":2}`}},
		{"array over several lines", " [\n  {\"a\": 1},\n  {\"a\":\n   2}\n ,3\n]\n\n", []string{`2:{"a": 1}`, "3+:{\"a\":\n   2}", "5:3"}},
		{"empty array", "[ \n ]", nil},
		{"array of what is no order", `[1, "a]", null, [ {} ], {"a":tru}]`, []string{"1:1", `1:"a]"`, "1:null", "1:[ {} ]", `1:{"a":tru}`}},
		{"array without its end", "[{},\n{}", []string{"1:{}", "error 2:3: the input ends within the array"}},
		{"array with a comma too many", "[{},\n]", []string{"1:{}", "error 2:1: not JSON from here on"}},
		{"array without a comma", "[{}\n{}]", []string{"error 2:1: not JSON from here on"}},
		{"array with the wrong bracket", `[{}, {"a":[}]`, []string{"1:{}", "error 1:12: not JSON from here on"}},
		{"more after the array", "[{}]\n x", []string{"1:{}", "error 2:2: more data after the array"}},
		{"a line too large", "{}\n" + huge + "\n{}", []string{"1:{}", "2:too large", "3:{}"}},
		{"a broken line too large", "{}\n" + strings.Repeat("x", 3*maxOrder) + "\n{}", []string{"1:{}", "2:too large", "3:{}"}},
		{"an element too large", "[1,\n" + huge + "\n,{}]", []string{"1:1", "2:too large", "3:{}"}},
		{"an object too large", "{}" + tall + "\n{}", []string{"1:{}", "1:too large", fmt.Sprintf("%d:{}", maxOrder+3)}},
		{"the largest", huge[:7] + huge[16:] + "\r\n", []string{"1:" + huge[:7] + huge[16:]}},
		{"much space", "[" + strings.Repeat("\n", 3*maxOrder) + "1]", []string{fmt.Sprintf("%d:1", 3*maxOrder+1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"at once":      strings.NewReader(tt.in),
				"half by half": iotest.HalfReader(strings.NewReader(tt.in)),
			} {
				if diff := cmp.Diff(tt.want, readAll(r)); diff != "" {
					t.Errorf("%s (-want +got):\n%.2000s", how, diff)
				}
			}
			if len(tt.in) < 1000 {
				if diff := cmp.Diff(tt.want, readAll(iotest.OneByteReader(strings.NewReader(tt.in)))); diff != "" {
					t.Errorf("byte by byte (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestInputThatCannotBeRead(t *testing.T) {
	broken := func(text string) io.Reader {
		return io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("the disk is gone")))
	}
	for text, want := range map[string][]string{
		"":                  {"error 1: the disk is gone"},
		"{}\n{}":            {"1:{}", "error 2: the disk is gone"},
		"{}\n\n ":           {"1:{}", "error 3: the disk is gone"},
		"{\n}\n{\n":         {"1+:{\n}", "error 4: the disk is gone"},
		"[{},\n ":           {"1:{}", "error 2: the disk is gone"},
		"[{},\n{":           {"1:{}", "error 2: the disk is gone"},
		"{}\nnot an order,": {"1:{}", "error 2: the disk is gone"},
	} {
		if diff := cmp.Diff(want, readAll(broken(text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzInput looks for an input that is read otherwise when it comes byte by
// byte, or whose orders are not, one after another, what stands in it.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{
		"{}\n{\"a\":[1,\n2]}\n", "[{},\n{\"a\":\"]\"}]", "{\"a\":\n{}\n{}", "\xef\xbb\xbf{}{}x\r\n", "{\n}\n,", "[\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := readAll(strings.NewReader(text))
		if diff := cmp.Diff(got, readAll(iotest.OneByteReader(strings.NewReader(text)))); diff != "" {
			t.Fatalf("read at once and byte by byte (-at once +byte by byte):\n%s", diff)
		}
		rest := text
		for in := newInput(strings.NewReader(text)); ; {
			order, err := in.next()
			if err != nil {
				return
			}
			at := strings.Index(rest, string(order.body))
			if at < 0 {
				t.Fatalf("order %q is not in %q", order.body, rest)
			}
			rest = rest[at+len(order.body):]
		}
	})
}
