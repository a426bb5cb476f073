package producer

import (
	"strings"
	"testing"
)

func TestDecodeRefuses(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	tests := []struct {
		name, body string
		offset     int
		what       string
	}{
		{"empty", "", 0, "the body is empty"},
		{"spaces", " \n", 2, "the body is empty"},
		{"array", ` []`, 1, "an order is a JSON object"},
		{"text", `"a"`, 0, "an order is a JSON object"},
		{"byte order mark", "\ufeff{}", 0, "an order is a JSON object"},
		{"cut in the object", `{`, 1, "the body ends too early"},
		{"cut in a key", `{"a`, 3, "the body ends too early"},
		{"cut in an escape", `{"a\u12`, 7, "the body ends too early"},
		{"cut behind a key", `{"a"`, 4, "the body ends too early"},
		{"cut in a word", `{"a":tru`, 5, "want a value"},
		{"no key", `{1:2}`, 1, "want a key in double quotes"},
		{"single quotes", `{'a':2}`, 1, "want a key in double quotes"},
		{"no colon", `{"a" 1}`, 5, "want a colon"},
		{"no comma", `{"a":1 "b":2}`, 7, "want a comma or }"},
		{"no comma in an array", `{"a":[1 2]}`, 8, "want a comma or ]"},
		{"comma behind the last member", `{"a":1,}`, 7, "want a key in double quotes"},
		{"comma behind the last element", `{"a":[1,]}`, 8, "want a value"},
		{"brackets crossed", `{"a":[}]`, 6, "want a value"},
		{"word", `{"a":True}`, 5, "want a value"},
		{"NaN", `{"a":NaN}`, 5, "want a value"},
		{"comment", `{/**/}`, 1, "want a key in double quotes"},
		{"number with a plus", `{"a":+1}`, 5, "want a value"},
		{"number with a zero before", `{"a":01}`, 6, "a number does not begin with 0"},
		{"number without digits", `{"a":-}`, 6, "want a digit"},
		{"number without fraction", `{"a":1.}`, 7, "want a digit"},
		{"number without exponent", `{"a":1e+}`, 8, "want a digit"},
		{"hexadecimal", `{"a":0x1}`, 6, "want a comma or }"},
		{"line break in a string", "{\"a\":\"x\ny\"}", 7, "a control character in a string"},
		{"unknown escape", `{"a":"\x41"}`, 7, "no such escape"},
		{"escape of no number", `{"a":"\u00g1"}`, 7, "want four hexadecimal digits"},
		{"half a pair", `{"a":"\ud83d"}`, 6, "half a surrogate pair"},
		{"half a pair and a letter", `{"a":"\ud83d\u0041"}`, 6, "half a surrogate pair"},
		{"the other half", `{"a":"\ude00"}`, 6, "half a surrogate pair"},
		{"broken UTF-8", "{\"a\":\"\xff\"}", 6, "not UTF-8"},
		{"cut UTF-8", "{\"a\":\"\xe7\x8e\"}", 6, "not UTF-8"},
		{"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}", 6, "not UTF-8"},
		{"NUL", "{\x00}", 1, "want a key in double quotes"},
		{"a key twice", `{"a":1,"b":2,"a":3}`, 13, "a key that this object has already"},
		{"a key twice, once escaped", `{"a":1,"\u0061":2}`, 7, "a key that this object has already"},
		{"a key twice, far down", `{"a":[{"b":{"c":1,"c":2}}]}`, 18, "a key that this object has already"},
		{"the empty key twice", `{"":1,"":2}`, 6, "a key that this object has already"},
		{"a key twice among many", `{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"2":1}`, 55, "a key that this object has already"},
		{"the ninth key twice", `{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"9":1}`, 55, "a key that this object has already"},
		{"more behind", `{} {}`, 3, "more data after the object"},
		{"NUL behind", "{}\x00", 2, "more data after the object"},
		{"too deep", deep(100), 104, "nested deeper than 100 levels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := decode([]byte(tt.body), nil)
			if err == nil || err.offset != tt.offset || err.what != tt.what {
				t.Errorf("got %v, want at byte %d: %s", err, tt.offset, tt.what)
			}
		})
	}
}

func TestDecodeTakes(t *testing.T) {
	for name, body := range map[string]string{
		"nothing in it":     `{}`,
		"spaces everywhere": " \t\r\n{ \"a\" : [ ] , \"b\" : { } } \n",
		"every escape":      `{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000"}`,
		"every number":      `{"a":[0,-0,1,10,0.5,-1.25e+10,1E-7,1e999999999]}`,
		"every word":        `{"a":[true,false,null]}`,
		"100 levels":        `{"a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`,
		"keys by case":      `{"a":1,"A":2}`,
		"keys by object":    `{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}`,
		"U+FFFD itself":     "{\"a\":\"\ufffd\"}",
	} {
		t.Run(name, func(t *testing.T) {
			if err := decode([]byte(body), nil); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}
