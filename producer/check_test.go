package producer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fault is one member of a problem's errors, without its detail.
type fault struct{ Pointer, Code string }

// faults reads them from a 422.
func faults(t *testing.T, r reply) []fault {
	t.Helper()
	if r.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("got %d, want 422: %s", r.StatusCode, r.body)
	}
	var p struct {
		Errors []struct{ Pointer, Code, Detail string }
	}
	if err := json.Unmarshal(r.body, &p); err != nil {
		t.Fatal(err)
	}
	var list []fault
	for _, e := range p.Errors {
		if e.Detail == "" {
			t.Errorf("%s %s has no detail", e.Pointer, e.Code)
		}
		list = append(list, fault{e.Pointer, e.Code})
	}
	return list
}

func TestInvalidFields(t *testing.T) {
	s := usual(t)
	tests := []struct {
		name, members string
		want          []fault
	}{
		{"id of the wrong type", `"order_id":1`, []fault{{"#/order_id", "type"}}},
		{"id null", `"order_id":null`, []fault{{"#/order_id", "type"}}},
		{"id empty", `"order_id":""`, []fault{{"#/order_id", "length"}}},
		{"id too long", `"order_id":"` + strings.Repeat("a", 129) + `"`, []fault{{"#/order_id", "length"}}},
		{"id with a space", `"order_id":"a b"`, []fault{{"#/order_id", "format"}}},
		{"id beginning with a dot", `"order_id":".a"`, []fault{{"#/order_id", "format"}}},
		{"id with a line break behind", `"order_id":"a\n"`, []fault{{"#/order_id", "format"}}},
		{"no id", `"Order_ID":"a"`, []fault{{"#/order_id", "required"}}},
		{"amount negative", `"order_id":"a","currency":"EUR","amount":-1`, []fault{{"#/amount", "range"}}},
		{"amount negative and tiny", `"order_id":"a","currency":"EUR","amount":-1e-999999999`, []fault{{"#/amount", "range"}}},
		{"amount negative in quotes", `"order_id":"a","currency":"EUR","amount":"-0.01"`, []fault{{"#/amount", "range"}}},
		{"amount in words", `"order_id":"a","currency":"EUR","amount":"ten"`, []fault{{"#/amount", "format"}}},
		{"amount with a comma", `"order_id":"a","currency":"EUR","amount":"1,50"`, []fault{{"#/amount", "format"}}},
		{"amount empty", `"order_id":"a","currency":"EUR","amount":""`, []fault{{"#/amount", "format"}}},
		{"amount null", `"order_id":"a","currency":"EUR","amount":null`, []fault{{"#/amount", "type"}}},
		{"amount an object", `"order_id":"a","currency":"EUR","amount":{"x":1}`, []fault{{"#/amount", "type"}}},
		{"amount without currency", `"order_id":"a","amount":1`, []fault{{"#/currency", "required"}}},
		{"amount of the wrong type without currency", `"order_id":"a","amount":true`, []fault{{"#/amount", "type"}, {"#/currency", "required"}}},
		{"currency unknown", `"order_id":"a","currency":"EUX"`, []fault{{"#/currency", "enum"}}},
		{"currency in small letters", `"order_id":"a","currency":"eur"`, []fault{{"#/currency", "enum"}}},
		{"currency of the wrong type", `"order_id":"a","amount":1,"currency":978`, []fault{{"#/currency", "type"}}},
		{"items not an array", `"order_id":"a","items":{}`, []fault{{"#/items", "type"}}},
		{"items null", `"order_id":"a","items":null`, []fault{{"#/items", "type"}}},
		{"no items", `"order_id":"a","items":[]`, []fault{{"#/items", "length"}}},
		{"too many items", `"order_id":"a","items":[` + manyItems(501) + `]`, []fault{{"#/items", "length"}}},
		{"item not an object", `"order_id":"a","items":[7]`, []fault{{"#/items/0", "type"}}},
		{"item empty", `"order_id":"a","items":[{}]`, []fault{{"#/items/0/sku", "required"}, {"#/items/0/quantity", "required"}}},
		{"item with an empty sku", `"order_id":"a","items":[{"sku":"","quantity":1}]`, []fault{{"#/items/0/sku", "length"}}},
		{"quantity 0", `"order_id":"a","items":[{"sku":"s","quantity":0}]`, []fault{{"#/items/0/quantity", "range"}}},
		{"quantity negative and huge", `"order_id":"a","items":[{"sku":"s","quantity":-1e999999999}]`, []fault{{"#/items/0/quantity", "range"}}},
		{"quantity in quotes", `"order_id":"a","items":[{"sku":"s","quantity":"1"}]`, []fault{{"#/items/0/quantity", "type"}}},
		{
			"prices", `"order_id":"a","items":[{"sku":"s","quantity":1,"price":-1,"unit_price":[]}]`,
			[]fault{{"#/items/0/unit_price", "type"}, {"#/items/0/price", "range"}},
		},
		{"the second item", `"order_id":"a","items":[{"name":"n","quantity":1},{"sku":"s"}]`, []fault{{"#/items/1/quantity", "required"}}},
		{"customer empty", `"order_id":"a","customer_id":""`, []fault{{"#/customer_id", "length"}}},
		{"customer a list", `"order_id":"a","customer_id":[]`, []fault{{"#/customer_id", "type"}}},
		{"email without a host", `"order_id":"a","email":"me@"`, []fault{{"#/email", "format"}}},
		{"email too long", `"order_id":"a","email":"` + strings.Repeat("a", 250) + `@b.de"`, []fault{{"#/email", "length"}}},
		{"phone too short", `"order_id":"a","phone":"12"`, []fault{{"#/phone", "length"}}},
		{"phone too long", `"order_id":"a","phone":"` + strings.Repeat("1", 33) + `"`, []fault{{"#/phone", "length"}}},
		{"phone with letters", `"order_id":"a","phone":"0800 CALL"`, []fault{{"#/phone", "format"}}},
		{"day only", `"order_id":"a","created_at":"2026-01-02"`, []fault{{"#/created_at", "format"}}},
		{"no such day", `"order_id":"a","created_at":"2026-02-30T00:00:00Z"`, []fault{{"#/created_at", "format"}}},
		{"fraction behind a comma", `"order_id":"a","created_at":"2026-01-02T03:04:05,5Z"`, []fault{{"#/created_at", "format"}}},
		{"no such zone", `"order_id":"a","created_at":"2026-01-02T03:04:05+24:00"`, []fault{{"#/created_at", "format"}}},
		{"hour of one digit", `"order_id":"a","created_at":"2026-01-02T3:04:05Z"`, []fault{{"#/created_at", "format"}}},
		{"all at once", `"amount":-1,"items":[{}],"phone":"x","email":7`, []fault{
			{"#/email", "type"},
			{"#/order_id", "required"},
			{"#/amount", "range"},
			{"#/currency", "required"},
			{"#/items/0/sku", "required"},
			{"#/items/0/quantity", "required"},
			{"#/phone", "length"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, faults(t, s.post("{"+tt.members+"}"))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	snapshot, err := s.queue.Inspect(t.Context())
	if err != nil || snapshot.Length != 0 {
		t.Errorf("%d of them are in the queue (%v)", snapshot.Length, err)
	}
}

func manyItems(n int) string {
	return strings.TrimSuffix(strings.Repeat(`{"sku":"s","quantity":1},`, n), ",")
}

func TestValidFields(t *testing.T) {
	s := usual(t)
	for name, members := range map[string]string{
		"amount as text":       `"amount":"0.00","currency":"TWD"`,
		"amount minus zero":    `"amount":-0.0,"currency":"TWD"`,
		"amount huge":          `"amount":1e999999999,"currency":"TWD"`,
		"amount of many":       `"amount":` + strings.Repeat("9", 50_000) + `,"currency":"TWD"`,
		"currency alone":       `"currency":"EUR"`,
		"500 items":            `"items":[` + manyItems(500) + `]`,
		"part of a piece":      `"items":[{"name":"rope","quantity":1.5,"price":"2","unit_price":3e0}]`,
		"quantity huge":        `"items":[{"name":"sand","quantity":1e999999999}]`,
		"customer by number":   `"customer_id":17`,
		"customer in Chinese":  `"customer_id":"` + strings.Repeat("王", 128) + `"`,
		"address":              `"email":"wang.xiaoming+shop@example.com.tw"`,
		"phone with all signs": `"phone":"+(0)2-1234.5678 #90"`,
		"time with zone":       `"created_at":"2026-01-02T03:04:05.678+08:00"`,
		"capitals are another": `"Amount":-1,"ITEMS":7`,
		"the shop's own":       `"note":null,"nested":{"amount":-1,"items":0}`,
	} {
		t.Run(name, func(t *testing.T) {
			s.mustPost(fmt.Sprintf(`{%s,"order_id":"%x"}`, members, name))
		})
	}
}

func TestInvalidHeader(t *testing.T) {
	s := usual(t)
	for name, tt := range map[string]struct {
		header []string
		want   fault
	}{
		"empty quotes": {[]string{"Idempotency-Key", `""`}, fault{"#/order_id", "length"}},
		"a space":      {[]string{"Idempotency-Key", `a b`}, fault{"#/order_id", "format"}},
		"half a quote": {[]string{"Idempotency-Key", `"a`}, fault{"#/order_id", "format"}},
		"two of them":  {[]string{"Idempotency-Key", "a", "Idempotency-Key", "b"}, fault{"#/order_id", "format"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.post(`{}`, tt.header...)
			if diff := cmp.Diff([]fault{tt.want}, faults(t, r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if !strings.Contains(string(r.body), "Idempotency-Key") {
				t.Errorf("the header is not named: %s", r.body)
			}
		})
	}
}

// A value that is wrong must not come back, nor go to a log: it may be a
// person's name or worse.
func TestValuesAreNotEchoed(t *testing.T) {
	s := usual(t)
	const canary = "c4n4ry"
	for _, body := range []string{
		canary, `{"` + canary + `"}`, `{"a":1} ` + canary, `{"` + canary + `":1,"` + canary + `":2}`,
		`{"order_id":"` + canary + `!","email":"` + canary + `","phone":"` + canary + `","currency":"` + canary + `"}`,
		`{"amount":"` + canary + `","items":["` + canary + `"],"created_at":"` + canary + `"}`,
	} {
		if r := s.post(body); strings.Contains(string(r.body), canary) || r.StatusCode < 400 {
			t.Errorf("%s: got %d %s", body, r.StatusCode, r.body)
		}
	}
	if r := s.post(`{}`, "Idempotency-Key", canary+"!"); strings.Contains(string(r.body), canary) {
		t.Errorf("the header came back: %s", r.body)
	}
}
