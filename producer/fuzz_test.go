package producer

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDecode holds decode against encoding/json: what we take, it takes and
// reads the same; what it refuses, we refuse, somewhere inside the body.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"order_id":"A-1","items":[{"sku":"x","quantity":1}]}`, `{"a":1,"a":2}`, `{"a":"\ud83d\ude00"}`,
		`{"a":-0.5e+7}`, "{\"\xff\":1}", `{} x`, `[]`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		members := map[string]json.RawMessage{}
		err := decode(body, func(key, value []byte) { members[string(key)] = value })
		if !bytes.Equal(body, before) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if err.offset < 0 || err.offset > len(body) {
				t.Fatalf("the offset %d is outside the body", err.offset)
			}
			return
		}
		if !utf8.Valid(body) {
			t.Fatal("took what is not UTF-8")
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("took what encoding/json refuses: %v", err)
		}
		if len(want) != len(members) {
			t.Fatalf("read %d members, want %d", len(members), len(want))
		}
		for key, value := range want {
			if !bytes.Equal(value, members[key]) {
				t.Fatalf("%q is %s, want %s", key, members[key], value)
			}
		}
	})
}

// FuzzCheck looks for orders that make the check panic or take long.
func FuzzCheck(f *testing.F) {
	rules, err := newValidator()
	if err != nil {
		f.Fatal(err)
	}
	h := &Handler{cfg: Config{}.withDefaults(), rules: rules}
	f.Add([]byte(`{"order_id":"A-1","amount":1e999999999,"currency":"EUR","items":[{"sku":"x","quantity":-1}]}`), "")
	f.Add([]byte(`{"items":[[],{},null],"email":"a@b","phone":7,"created_at":"2026-01-02T03:04:05Z"}`), `"key"`)
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		id, p := h.check(body, &header)
		if p == nil && !validOrderID(id) {
			t.Fatalf("took the id %q", id)
		}
		if p != nil && p.Status >= 500 {
			t.Fatalf("answered %d: %v", p.Status, p.cause)
		}
	})
}

// FuzzSplitArray holds the cutting of arrays against encoding/json: the same
// elements, byte for byte, and each order's fault is its own.
func FuzzSplitArray(f *testing.F) {
	for _, seed := range []string{
		`[{"order_id":"A-1"}, {"order_id":"A-2"} ]`, `[]`, ` [ 1,"x",null,[],{} ] `, `[{"a":1,"a":2}]`, `[{}] x`, `[{},]`, `{}`, "[\"\xff\"]", ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		orders, p := splitArray(body)
		if p != nil {
			mustRefuse(t, p, len(body))
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("took what encoding/json refuses: %v", err)
		}
		if len(want) != len(orders) {
			t.Fatalf("cut into %d, want %d", len(orders), len(want))
		}
		for i := range want {
			if !bytes.Equal(want[i], orders[i]) {
				t.Fatalf("number %d is %q, want %q", i, orders[i], want[i])
			}
		}
	})
}

// mustRefuse says that a refused batch is told why, at a byte that it has.
func mustRefuse(t *testing.T, p *problem, size int) {
	t.Helper()
	switch {
	case p.Status == 413 && p.Offset == nil:
	case p.Status != 400 || p.Offset == nil || *p.Offset < 0 || *p.Offset > size:
		t.Fatalf("answered %+v", p)
	}
}

// FuzzSplitLines: the lines with something in them, whole and in their order.
func FuzzSplitLines(f *testing.F) {
	for _, seed := range []string{
		"{\"order_id\":\"A-1\"}\n{\"order_id\":\"A-2\"}\n", "{}\r\n\r\n{}", "\n\n", "\r\r\n", " \t\n{}", "{}\x00\n", "\xff\n", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		orders, p := splitLines(body)
		var want []string
		for line := range strings.SplitSeq(string(body), "\n") {
			if line = strings.TrimSuffix(line, "\r"); strings.TrimSpace(line) != "" {
				want = append(want, line)
			}
		}
		if p != nil {
			if mustRefuse(t, p, len(body)); len(want) <= maxBatchOrders {
				t.Fatalf("refused %d lines as too many", len(want))
			}
			return
		}
		if len(want) != len(orders) {
			t.Fatalf("cut into %d, want %d", len(orders), len(want))
		}
		for i := range want {
			if want[i] != string(orders[i]) {
				t.Fatalf("line %d is %q, want %q", i, orders[i], want[i])
			}
		}
	})
}

// FuzzParseTokens: what is taken can come in, with its own scopes and no others,
// and what is wrong is told without a word of it.
func FuzzParseTokens(f *testing.F) {
	for _, seed := range []string{
		"shop submit,read s3cret-of-the-shop\n# a comment\n\nops cancel 0ther-secret-here", "a b", "a submit", "a submit x y", "a,b submit secret",
		"a submit, secret", "a submit one-secret-twice\nb read one-secret-twice", "\ufeffa read secret", "a\tread\tsecret\r\n", "a read s\u00e9cret",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := ParseTokens(text)
		for i, line := range strings.Split(text, "\n") {
			fields := strings.Fields(line)
			if len(fields) != 3 || strings.HasPrefix(fields[0], "#") {
				continue
			}
			secret := fields[2]
			if err != nil && len(secret) > 12 && strings.Contains(err.Error(), secret) {
				t.Fatalf("the error shows the secret of line %d: %v", i+1, err)
			}
			if err != nil {
				continue
			}
			who, known := tokens.holder("Bearer " + secret)
			if !known || who.name != fields[0] {
				t.Fatalf("line %d was taken, and its secret is %q's (%v)", i+1, who.name, known)
			}
			for _, s := range allScopes {
				if who.may(s) != strings.Contains(","+fields[1]+",", ","+string(s)+",") {
					t.Fatalf("line %d: scope %s is %v", i+1, s, who.may(s))
				}
			}
		}
		if _, known := tokens.holder("Bearer "); known {
			t.Fatal("an empty secret comes in")
		}
	})
}

// FuzzParseRate: what is taken is said again in the form that is read.
func FuzzParseRate(f *testing.F) {
	for _, seed := range []string{"", "100/s", "30/m", "2500/h", "0/s", "-1/s", "1", "/s", "1/", "1/d", "1.5/s", " 1/s", "1/s ", "99999999999/s", "+1/s", "01/s", "1/s/s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRate(text)
		if err != nil {
			return
		}
		if (text == "") != (r == Rate{}) || r.validate() != nil {
			t.Fatalf("%q is %+v (%v)", text, r, r.validate())
		}
		if again, err := ParseRate(r.String()); err != nil || again != r {
			t.Fatalf("%q is written %q, which is %+v (%v)", text, r.String(), again, err)
		}
	})
}
