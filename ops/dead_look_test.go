package ops_test

import (
	"fmt"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestDeadList(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "dead list", out: []string{"ID\tORDER\tREASON\tSTATUS\tATTEMPTS\tTIME\n"}})
	d.check(typed{line: "dead list --group-by error", out: []string{"CAUSE\tCOUNT\tOLDEST\tNEWEST\tEXAMPLE\tSEND THEM AGAIN\n"}})
	d.check(typed{line: "dead list --group-by error -o json", out: []string{"[]\n"}})
	w := d.worker()
	w.bury(422, "A-1", "A-2")
	w.bury(400, "B-1")
	d.dead("C-1", "7-7")
	redistest.Shared(t).CLI("XADD", "orderq:{"+d.queue+"}:dead", "*", "id", "", "body", "", "reason", "undecodable", "entry", "7-8", "raw", `{"x":"y"}`)

	d.check(typed{line: "dead list --no-headers", out: []string{
		"\t-\tundecodable\t-\t0\t", "\tC-1\tpoison\t-\t0\t", "\tB-1\trejected\t400\t1\t", "\tA-2\trejected\t422\t1\t", "\tA-1\trejected\t422\t1\t", " UTC\n",
	}})
	d.check(typed{line: "dead list --no-headers --limit 1 --error rejected", out: []string{"\tB-1\t"}, err: []string{"the next page: orderq dead list --error rejected --after "}})
	d.check(typed{line: "dead list --no-headers --error 'rejected 422' --limit 2", out: []string{"\tA-2\t", "\tA-1\t"}})
	d.check(typed{line: "dead list --no-headers --error none"})
	d.check(typed{line: "dead list --body", out: []string{"\tTIME\tBODY\n", "\t" + `{"id":"A-1"}` + "\n"}})
	d.check(typed{line: "dead list --group-by error --no-headers", out: []string{
		"rejected 422\t2\t", "\tA-2\torderq dead requeue --error 'rejected 422'\n",
		"poison\t1\t", "\tC-1\torderq dead requeue --error poison\n",
		"rejected 400\t1\t", "\tB-1\torderq dead requeue --error 'rejected 400'\n",
		"undecodable\t1\t", "\t-\n",
	}})
	d.check(typed{line: "dead list --group-by error --error poison --no-headers", out: []string{"poison\t1\t"}})
	for line, want := range map[string]string{
		"dead list --group-by status": `--group-by "status": want error`, "dead list --error ''": "--error is empty",
		"dead list --group-by error --after 1-1": "leave out --after", "dead list --after x": "--after: entry ID",
	} {
		d.check(typed{line: line, code: 2, err: []string{want}})
	}
}

// A list and its groups go on over many pages.
func TestDeadListPages(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	redistest.Shared(t).CLI("EVAL", `for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], i .. '-1', 'id', 'A-' .. i,
		'reason', i % 300 == 0 and 'poison' or 'reason ' .. i) end`, "1", "orderq:{"+d.queue+"}:dead", "2000")
	var want []string
	for i := 1800; i > 0; i -= 300 {
		want = append(want, fmt.Sprintf("\tA-%d\tpoison\t", i))
	}
	d.check(typed{line: "dead list --error poison", out: want})
	if all := d.must("dead", "list", "--limit", "5000", "--no-headers"); strings.Count(all, "\n") != 2000 {
		t.Errorf("%d of 2000 letters", strings.Count(all, "\n"))
	}
	out := d.must("dead", "list", "--group-by", "error", "--no-headers")
	if lines := strings.Split(out, "\n"); !strings.HasPrefix(lines[0], "(other)\t") || !strings.HasSuffix(lines[0], "\t-") || !strings.HasPrefix(lines[1], "poison\t6\t") {
		t.Errorf("2,000 causes: %q, %q", lines[0], lines[1])
	}
}

func TestDeadShow(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.check(typed{line: "dead show A-1", code: 3, err: []string{"A-1 is no dead letter; orderq show A-1 tells where an order is"}})
	w := d.worker()
	w.submit("A-1")
	w.ends(w.next(), streamutil.Settlement{Outcome: streamutil.OutcomeRejected, Status: 422, Answer: "no\tsuch\x1b article"})
	redistest.Shared(t).CLI("XADD", "orderq:{"+d.queue+"}:dead", "*", "id", "", "body", "", "reason", "undecodable", "entry", "7-8", "raw", `{"x":"y"}`)
	letter := d.letters()[0]
	whole := []string{
		"order\tA-1\nletter\t" + letter.ID.String() + "\nentry\t" + letter.Entry.String() + "\ndied\t", " UTC\nof\trejected 422\nattempts\t1\nanswer\tno such  article\n",
		"next\tdead since ", ": orderq dead requeue A-1 sends it again, orderq dead drop A-1 gives it up\n",
	}
	for _, id := range []string{"A-1", letter.ID.String(), letter.Entry.String()} {
		d.check(typed{line: "dead show " + id, out: whole})
	}
	d.check(typed{line: "dead show A-1 --body", out: append(whole, "body\t"+`{"id":"A-1"}`+"\n")})
	d.check(typed{line: "dead show 7-8 --body", out: []string{"order\t-\n", "it is no order that could be sent; orderq dead drop ", "raw\t" + `{"x":"y"}` + "\n"}})
	d.check(typed{line: "dead show A-1 -o jsonl", out: []string{`"cause":"rejected 422"`, `"answer":"no\tsuch\u001b article"`}})
	d.check(typed{line: "dead show", code: 2, err: []string{"want one id"}})
}
