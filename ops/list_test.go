package ops_test

import (
	"encoding/json"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestList(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "list", out: []string{"ENTRY\tORDER\tSTATE\tACCEPTED\tATTEMPTS\tWAITS FOR\n"}})
	d.check(typed{line: "list -o json", out: []string{"[]\n"}})
	d.check(typed{line: "list --state dead", out: []string{"ENTRY\tORDER\tSTATE\tACCEPTED\tATTEMPTS\tFINISHED\tLAST\n"}})
	d.orders()
	d.dead("stranger", "7-7")

	for _, tt := range []struct {
		line string
		out  []string
	}{
		{"list", []string{
			"\tparked\tparked\t", "\t1\tits next attempt, due in 59 min", "\tparked-2\tparked\t", "\tin-flight\tin_flight\t", "\tthe partner's answer\n",
			"\twaiting\twaiting\t", " UTC\t0\tits place 1, about ", "\twaiting-2\twaiting\t", "its place 2",
		}},
		{"list --state waiting --no-headers", []string{"\twaiting\twaiting\t", "\twaiting-2\twaiting\t"}},
		{"list --state in_flight --no-headers", []string{"\tin-flight\tin_flight\t"}},
		{"list --state parked --no-headers", []string{"\tparked\tparked\t", "\tparked-2\tparked\t"}},
		{"list --state dead", []string{"stranger\tdead\t", "\tpoison\n", "\tdead\tdead\t", "\t1\t", "\trejected 422\n"}},
		{"list --state delivered --no-headers", []string{"\tdelivered\tdelivered\t", "\t1\t", " UTC\tdelivered 200\n"}},
		{"list --state cancelled --no-headers", []string{"\tcancelled\tcancelled\t", "\t0\t", " UTC\t-\n"}},
		{"list --state waiting --body", []string{"\tBODY\n", "\t" + `{"id":"waiting"}` + "\n"}},
	} {
		d.check(typed{line: tt.line, out: tt.out})
	}
	d.check(typed{line: "list --state nowhere", code: 2, err: []string{`--state "nowhere": want waiting, in_flight`}})
	d.check(typed{line: "list --state ''", code: 2, err: []string{"--state is empty"}})
	d.check(typed{line: "list --after soon", code: 2, err: []string{`--after: entry ID "soon": want MS-SEQ, as the page before it named it`}})
}

// dead writes a dead letter by hand.
func (d *desk) dead(order, id string) {
	d.t.Helper()
	redistest.Shared(d.t).CLI("XADD", "orderq:{"+d.queue+"}:dead", "*", "id", order, "body", "{}", "reason", "poison", "entry", id)
}

func TestListSaysWhatHoldsTheQueueUp(t *testing.T) {
	d := newOrders(t, redistest.Shared(t).Addr())
	d.must("pause", "--reason", "big day")
	d.check(typed{line: "list --state waiting", out: []string{"the queue, which is paused; then its place 1\n"}})
	d.must("retry", "parked")
	d.check(typed{line: "list --state parked", out: []string{"\tparked\tparked\t", "\tthe queue, which is paused\n"}})
}

// Page after page, each by the command that the one before it named.
func TestListPages(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.enqueue(2*streamutil.MaxPage + 3)
	var got []string
	line := []string{"list", "--limit", "48", "-o", "jsonl"}
	for {
		out, errs, err := d.run(line...)
		if err != nil {
			t.Fatal(err)
		}
		for text := range strings.Lines(out) {
			var row struct {
				OrderID string `json:"order_id"`
			}
			if err := json.Unmarshal([]byte(text), &row); err != nil {
				t.Fatal(err)
			}
			got = append(got, row.OrderID)
		}
		_, next, more := strings.Cut(strings.TrimSpace(errs), "the next page: orderq ")
		if !more {
			break
		}
		line = append(words(next), "--limit", "48", "-o", "jsonl")
	}
	all := d.must("list", "--limit", "1000", "--no-headers")
	var want []string
	for text := range strings.Lines(all) {
		want = append(want, strings.Split(text, "\t")[1])
	}
	if len(want) != 2*streamutil.MaxPage+3 || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%d orders page by page, %d at once", len(got), len(want))
	}
	out, errs, err := d.run("list", "--limit", "103")
	if err != nil || errs != "" || strings.Count(out, "\n") != 104 {
		t.Errorf("a page that is just full: %d lines, %q, %v", strings.Count(out, "\n"), errs, err)
	}
}

// What a hand wrote is shown without what would move the cursor.
func TestListOfJunk(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	srv := redistest.Shared(t)
	srv.CLI("XADD", "orderq:{"+d.queue+"}:stream", "1-1", "id", "evil\x1b[2J\tx", "body", "\xff")
	srv.CLI("XADD", "orderq:{"+d.queue+"}:stream", "1-2", "note", "hello")
	srv.CLI("XADD", "orderq:{"+d.queue+"}:log", "1-1", "what", "cancel\x1b", "order", "\x1b[2J", "who", "me\n", "attempt", "many")
	srv.CLI("XADD", "orderq:{"+d.queue+"}:dead", "1-1", "reason", "bad\x1b", "status", "teapot", "answer", "\x1b]0;x\a")
	srv.CLI("HSET", "orderq:{"+d.queue+"}:consumers", "me\x1b", "not json")
	for _, line := range []string{
		"list --body", "list --state dead", "list --state cancelled", "tail", "show 1-1", "show 1-2", "dead list", "dead list --group-by error",
		"dead show 1-1 --body", "consumers", "status", "pending",
	} {
		for _, form := range []string{"", " -o json", " -o jsonl"} {
			out, errs, err := d.run(words(line + form)...)
			if err != nil || strings.ContainsAny(out+errs, "\x1b\a") {
				t.Errorf("%s: %v\n%q\n%q", line+form, err, out, errs)
			}
		}
	}
	d.check(typed{line: "list", out: []string{"1-1\tevil [2J x\twaiting", "1-2\t-\twaiting"}})
}
