package ops_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// oldList is a list of an older system on the queue's own server.
type oldList struct {
	*desk
	srv *redistest.Server
	key string
}

func newOldList(t *testing.T, items ...string) *oldList {
	return oldListOn(newDesk(t, redistest.Shared(t).Addr()), redistest.Shared(t), items...)
}

// oldListOn makes a list on this server, for the queue of a desk.
func oldListOn(d *desk, srv *redistest.Server, items ...string) *oldList {
	l := &oldList{desk: d, srv: srv, key: "old-" + d.queue}
	l.push(items...)
	return l
}

func (l *oldList) push(items ...string) {
	l.t.Helper()
	if len(items) > 0 {
		l.srv.CLI(append([]string{"RPUSH", l.key}, items...)...)
	}
}

// holds compares the list and the count of what was taken from it.
func (l *oldList) holds(count string, items ...string) {
	l.t.Helper()
	if diff := cmp.Diff(items, l.raw("LRANGE", l.key, "0", "-1"), nothing); diff != "" {
		l.t.Errorf("the list (-want +got)\n%s", diff)
	}
	if got := l.srv.CLI("GET", l.counter()); got != count {
		l.t.Errorf("the count is %q, want %q", got, count)
	}
}

func (l *oldList) counter() string { return "{" + l.key + "}:orderq-imported" }

// raw gives an array that a command answers.
func (l *oldList) raw(args ...string) []string {
	l.t.Helper()
	reply, err := l.srv.Do(args...)
	if err != nil {
		l.t.Fatal(err)
	}
	var all []string
	for _, e := range reply.([]any) {
		all = append(all, e.(string))
	}
	return all
}

// nothing makes no difference of nil and empty.
var nothing = cmp.Transformer("len", func(s []string) []string { return append([]string{}, s...) })

// queued gives "id body" of all that waits, in order.
func (d *desk) queued() []string {
	d.t.Helper()
	all := []string{}
	for after := (streamutil.EntryID{}); ; {
		entries, err := d.q.Entries(d.t.Context(), after, 100)
		if err != nil {
			d.t.Fatal(err)
		}
		if len(entries) == 0 {
			return all
		}
		for _, e := range entries {
			all, after = append(all, e.OrderID+" "+string(e.Body)), e.Entry
		}
	}
}

// aside gives what became dead letters, as "reason id: why: body".
func (d *desk) aside() []string {
	all := []string{}
	for _, l := range d.letters() {
		all = append(all, fmt.Sprintf("%s %s: %s: %s", l.Reason, l.OrderID, l.Answer, l.Body))
	}
	return all
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got, nothing); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

func TestImportList(t *testing.T) {
	binary := "\x00\xff{\r\n"
	l := newOldList(t,
		`{"order_id":"A"}`, `{"x":1,"order_id":12345678901234567890}`, binary, `{"order_id":"B", "n":"\u5bb6"}`, `[1]`,
		`{"order_id":"A"}`, `{"order_id":"A","other":true}`, `{"note":"no id"}`, `{"order_id":"no good"}`, `{"order_id":1.0}`,
		`{"order_id":"C","order_id":"D"}`, "", `{"order_id":"E"} x`, " {\"order_id\" : \"\\u0046\"}\n",
	)
	l.check(typed{line: "import-list " + l.key, code: 2, err: []string{"--yes"}})
	l.check(typed{
		line: "import-list " + l.key + " --yes --reason 'the move'",
		out: []string{
			"read\t14 items", "enqueued\t4", "duplicates\t1", "made ids\t0", "dead letters\t9", "left\t0", "took\t",
		},
		err: []string{"14 items", "at the head, is A", "newest F", "orderq dead list", "the list is empty", l.counter()},
	})
	same(t, "the queue", []string{
		`A {"order_id":"A"}`, `12345678901234567890 {"x":1,"order_id":12345678901234567890}`, `B {"order_id":"B", "n":"\u5bb6"}`,
		"F  {\"order_id\" : \"\\u0046\"}\n",
	}, l.queued())
	same(t, "dead letters", []string{
		"undecodable : not a JSON object: " + binary,
		"undecodable : not a JSON object: [1]",
		`duplicate A: another order with this id is waiting in the queue: {"order_id":"A","other":true}`,
		`undecodable : no key "order_id": {"note":"no id"}`,
		`undecodable : "order_id" is no order id: want 1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit: {"order_id":"no good"}`,
		`undecodable : "order_id" is neither a string nor a whole number: {"order_id":1.0}`,
		`undecodable : the key "order_id" stands there 2 times: {"order_id":"C","order_id":"D"}`,
		"undecodable : the item is empty: ",
		`undecodable : not JSON: a mistake at byte 18 of 18: {"order_id":"E"} x`,
	}, l.aside())
	l.holds("14")
	l.check(typed{line: "tail", out: []string{"import of 14 orders begins", "the move", "import ended: 13 orders put in"}})
	l.check(typed{line: "import-list --yes " + l.key, out: []string{"read\t0 items"}, err: []string{"has no list", "nothing to import"}})
}

// The end is that of the pops; the other one is where the old system pushes.
func TestImportListFromTheTail(t *testing.T) {
	l := newOldList(t)
	var want []string
	for i := range 120 {
		item := fmt.Sprintf(`{"id":%d}`, i)
		l.srv.CLI("LPUSH", l.key, item)
		want = append(want, fmt.Sprint(i, " ", item))
	}
	l.check(typed{
		line: "import-list --yes --end tail --field order_id=id " + l.key,
		out:  []string{"read\t120 items", "enqueued\t120"}, err: []string{"at the tail, is 0, and the newest 119"},
	})
	same(t, "the queue", want, l.queued())
	l.holds("120")
}

// An order that the queue cancelled is not lost with the list.
func TestImportListOfCancelledOrders(t *testing.T) {
	l := newOldList(t, `{"id":"A"}`, `{"id":"B"}`)
	l.submit("A", "B")
	l.must("cancel", "A")
	line := "import-list --yes --field order_id=id " + l.key
	l.check(typed{line: line + " --dry-run", out: []string{"orders\t0", "in the queue\t1", "dead letters\t1"}, err: []string{"nothing is changed"}})
	l.check(typed{line: line, out: []string{"enqueued\t0", "duplicates\t1", "dead letters\t1"}, err: []string{""}})
	same(t, "dead letters", []string{`duplicate A: the order with this id is cancelled in the queue: {"id":"A"}`}, l.aside())
}

func TestImportListMakesIDs(t *testing.T) {
	same9 := slices.Repeat([]string{`{"tea":1}`}, 130)
	l := newOldList(t, append(same9, `{"order_id":"A"}`, `x`, `{"order_id":"bad id"}`)...)
	l.check(typed{
		line: "import-list --dry-run --make-ids " + l.key,
		out:  []string{"items\t133", "orders\t132", "made ids\t131", "duplicates\t0", "dead letters\t1", "  no JSON object\t1", "  no id\t0"},
		err:  []string{"an order without an id"},
	})
	l.check(typed{line: "import-list --yes --make-ids " + l.key, out: []string{"enqueued\t132", "made ids\t131", "dead letters\t1"}, err: []string{""}})
	ids := map[string]bool{}
	for n, line := range l.queued() {
		id, _, _ := strings.Cut(line, " ")
		if n != 130 && (!strings.HasPrefix(id, "old-") || !streamutil.ValidOrderID(id)) {
			t.Errorf("item %d has the id %q", n, id)
		}
		ids[id] = true
	}
	if len(ids) != 132 {
		t.Errorf("%d ids, want 132", len(ids))
	}
	// The count goes on, so the same order again is another.
	l.push(`{"tea":1}`)
	l.check(typed{line: "import-list --yes --make-ids " + l.key, out: []string{"enqueued\t1"}, err: []string{""}})
	l.holds("134")
}

func TestImportListForetells(t *testing.T) {
	l := newOldList(t, `{"id":"A"}`, `{"id":"A"}`, `{"id":"A","x":1}`, `{"id":"B"}`, `{"id":"C"}`, `{}`, `no`, `{"id":"D"}`)
	l.submit("B", "C-not")
	if _, err := l.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "C", Body: []byte(`another`)}); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(l.must("import-list", "--dry-run", "--field", "order_id=id", "-o", "json", l.key)), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"dry_run": true, "key": l.key, "from": l.q.Redis(), "items": 8.0, "orders": 2.0, "made_ids": 0.0, "undecodable": 1.0,
		"without_id": 1.0, "duplicates": 1.0, "conflicts": 1.0, "exact": true, "known": 1.0, "known_conflicts": 1.0,
		"dead_letters": 4.0, "first_id": "A", "last_id": "D",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if n := l.srv.CLI("LLEN", l.key); n != "8" || l.srv.CLI("EXISTS", l.counter()) != "0" {
		t.Errorf("a dry run changed the list: %s items", n)
	}
	l.check(typed{line: "import-list --dry-run none-" + l.key, out: []string{"items\t0", "first id\t-"}, err: []string{"nothing to import"}})
}

func TestImportListInJSON(t *testing.T) {
	l := newOldList(t, `{"order_id":"A"}`, `{"order_id":"A"}`, `{}`)
	var got map[string]any
	if err := json.Unmarshal([]byte(l.must("import-list", "--yes", "-o", "json", l.key)), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"dry_run": false, "read": 3.0, "enqueued": 1.0, "duplicates": 1.0, "made_ids": 0.0, "dead_letters": 1.0,
		"taken_by_others": 0.0, "left": 0.0, "key": l.key, "from": l.q.Redis(),
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if _, ok := got["per_second"]; !ok || len(got) != 12 {
		t.Errorf("got %v", got)
	}
}
