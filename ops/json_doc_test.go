package ops_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

// documented is what docs/json.md says of a command: type by key.
type documented map[string]string

// readJSONDoc reads the tables of docs/json.md, by the command they are of.
func readJSONDoc(t *testing.T) map[string]documented {
	t.Helper()
	text, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	all, command := map[string]documented{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "## "); ok {
			command = name
			all[command] = documented{}
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) >= 4 && strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			all[command][strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[2])
		}
	}
	return all
}

// seen is what the keys of real documents held: types by key.
type seen map[string]map[string]bool

func (s seen) add(prefix string, document map[string]any) {
	for key, value := range document {
		key = prefix + key
		if s[key] == nil {
			s[key] = map[string]bool{}
		}
		s[key][typeOf(value)] = true
		if nested, ok := value.(map[string]any); ok {
			s.add(key+".", nested)
		}
	}
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		if _, err := time.Parse(time.RFC3339Nano, v); err == nil && strings.HasSuffix(v, "Z") {
			return "time"
		}
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	}
	return "object"
}

// TestJSONIsAsDocumented runs every command that only looks, on queues in many
// states, and compares what it says with docs/json.md.
func TestJSONIsAsDocumented(t *testing.T) {
	doc, desks := readJSONDoc(t), jsonDesks(t)
	for command, lines := range map[string][]string{
		"status": {"status"}, "list": {
			"list", "list --state dead", "list --state delivered", "list --state cancelled", "list --body --state waiting",
		},
		"show": {
			"show waiting", "show waiting --body", "show parked", "show in-flight", "show delivered", "show cancelled", "show dead",
			"show sent-again", "show answered", "show 1-1", "show gone", "show strange",
		},
		"tail": {"tail"}, "pending": {"pending"}, "consumers": {"consumers"},
		"dead list": {"dead list", "dead list --body"}, "dead list --group-by error": {"dead list --group-by error"},
		"dead show": {"dead show answered", "dead show dead --body", "dead show 1-1 --body", "dead show bare"},
		"pace":      {"pace"}, "check": {"check"}, "doctor": {"doctor"},
	} {
		t.Run(command, func(t *testing.T) {
			got := seen{}
			for _, line := range lines {
				for _, d := range desks {
					out, _, _ := d.run(append(words(line), "-o", "jsonl")...) // where it is not found there is no document
					for text := range strings.Lines(out) {
						var document map[string]any
						if err := json.Unmarshal([]byte(text), &document); err != nil {
							t.Fatalf("%s: %v: %q", line, err, text)
						}
						got.add("", document)
					}
				}
			}
			compare(t, command, doc, got)
		})
	}
}

func compare(t *testing.T, command string, doc map[string]documented, got seen) {
	t.Helper()
	want := doc[command]
	if len(want) == 0 {
		t.Fatal("docs/json.md has no table for it")
	}
	for key, types := range got {
		if strings.HasPrefix(key, "status.") && command == "check" {
			continue // documented with status
		}
		is, nullable := strings.CutSuffix(want[key], " or null")
		if want[key] == "" {
			t.Errorf("key %q is not documented", key)
		}
		for kind := range types {
			if kind == "null" && !nullable || kind != "null" && kind != is {
				t.Errorf("key %q is %s, documented as %q", key, kind, want[key])
			}
		}
	}
	for key, is := range want {
		nullable := strings.HasSuffix(is, " or null")
		if n := len(got[key]); n == 0 || nullable && !got[key]["null"] || !nullable && got[key]["null"] || nullable && n == 1 {
			t.Errorf("key %q is documented as %q, and was seen as %v", key, is, got[key])
		}
	}
}

// jsonDesks are queues that between them give every key each of its types.
func jsonDesks(t *testing.T) []*desk {
	srv := redistest.Shared(t)
	busy := newDesk(t, srv.Addr())
	key := "orderq:{" + busy.queue + "}:"
	srv.CLI("XADD", key+"stream", "1-1", "note", "no order")
	w := busy.worker()
	w.bury(422, "sent-again")
	w.submit("answered")
	w.ends(w.next(), streamutil.Settlement{Outcome: streamutil.OutcomeRejected, Status: 400, Answer: "no such article"})
	if _, err := busy.q.Leave(t.Context(), "w"); err != nil {
		t.Fatal(err)
	}
	busy.orders()
	busy.must("dead", "requeue", "sent-again", "--yes")
	busy.must("pace", "30/m", "--for", "1h", "--reason", "they asked")
	busy.must("pause", "--for", "1h", "--reason", "big day")
	srv.CLI("XADD", key+"dead", "*", "id", "bare", "reason", "poison")
	for _, line := range []string{"attempt order gone outcome delivered state delivered", "retry order strange", "reclaim consumer c9 due 2"} {
		srv.CLI(append([]string{"XADD", key + "log", "*", "what"}, strings.Fields(line)...)...)
	}
	srv.CLI("HSET", key+"consumers", "c0", `{"host":"shop-9","pid":7,"version":"1.2","beat":1,"k":1,"pace":2000000,"lease":15000000,"seen":5000,"start":4000,"trouble":"oom"}`)

	steady := newDesk(t, srv.Addr()) // its consumer is gone, its pace stays
	steady.enqueue(1)
	steady.take("c1")
	steady.must("pace", "30/m")
	srv.CLI("DEL", "orderq:{"+steady.queue+"}:consumers")
	calm := newDesk(t, srv.Addr())
	calm.worker() // which is as fast as the partner
	calm.submit("A-1")
	return []*desk{newDesk(t, srv.Addr()), calm, busy, steady, {t: t, addr: "127.0.0.1:1", queue: "away"}}
}
