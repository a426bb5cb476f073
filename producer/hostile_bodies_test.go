package producer_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// shot is one hostile request. It may be answered with anything but a 5xx, or
// where want is not 0, only with that.
type shot struct {
	path, media, body string
	want              int
}

// arsenal makes hostile requests, the same ones in every run.
type arsenal struct {
	rand  *rand.Rand
	next  int // number of the next order's id
	shots []shot
}

const aimedAt = 10_000

// armed gives at least aimedAt shots: every kind there is, and then random damage.
func armed() []shot {
	a := &arsenal{rand: rand.New(rand.NewPCG(4, 4))}
	a.oddities()
	a.sizes()
	a.wrongTypes()
	a.mediaTypes()
	a.truncations()
	a.bitFlips()
	for len(a.shots) < aimedAt {
		a.add(0, a.damaged(a.good()))
		a.batch(0, array, a.damaged("["+a.good()+","+a.good()+"]"))
		a.batch(0, lines, a.damaged(a.good()+"\n"+a.good()+"\n"))
	}
	return a.shots
}

// good is an order with every field that is checked, and an id of its own.
func (a *arsenal) good() string {
	a.next++
	return fmt.Sprintf(`{"order_id":"H-%06d","amount":"199.90","currency":"EUR","customer_id":"C-1","email":"jane@example.com",`+
		`"phone":"+44 20 7946 0000","created_at":"2026-01-02T03:04:05Z","items":[{"sku":"T","name":"Tea","quantity":2,`+
		`"price":"49.95","unit_price":4}],"note":"\u738b 王"}`, a.next)
}

// bad is a good order with one more member, or one in another's place.
func (a *arsenal) bad(field, value string) string {
	order := a.good()
	at := strings.Index(order, `"`+field+`":`)
	if at < 0 {
		return strings.TrimSuffix(order, "}") + `,"` + field + `":` + value + "}"
	}
	at += len(field) + 3
	end := at + strings.IndexAny(order[at:], ",}")
	if field == "items" {
		end = strings.Index(order, `,"note"`)
	}
	return order[:at] + value + order[end:]
}

func (a *arsenal) add(want int, body string) {
	a.shots = append(a.shots, shot{"/v1/orders", array, body, want})
}

func (a *arsenal) batch(want int, media, body string) {
	a.shots = append(a.shots, shot{"/v1/orders:batch", media, body, want})
}

// everywhere sends a body as an order, as an element and as a line.
func (a *arsenal) everywhere(want int, body string) {
	a.add(want, body)
	a.batch(0, array, "["+body+","+a.good()+"]")
	a.batch(0, lines, body+"\n"+a.good())
}

// oddities are what is no JSON, or JSON of a kind that trips parsers.
func (a *arsenal) oddities() {
	for _, body := range []string{
		"", " ", "\n", "\x00", "\ufeff{}", "\xff\xfe{\x00}\x00", "null", "true", "7", `"x"`, "[]", "[[]]", "{", "}", "{]", "{{}}", "[", "]", ",",
		"{'order_id':'x'}", "{order_id:1}", "{}{}", "{} null", "\x00{}", "{}\x00", `{"a":NaN}`, `{"a":Infinity}`, `{"a":-}`, `{"a":01}`, `{"a":1.}`,
		`{"a":.5}`, `{"a":1e}`, `{"a":0x1}`, `{"a":"\x00"}`, `{"a":"\u00"}`, `{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, "{\"a\":\"\xc0\x80\"}",
		"{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xf8\x88\x80\x80\x80\"}", "{\"a\":\"\x80\"}", "{\"\xff\":1}", "{\"a\":\"\n\"}", `{"a":1,"a":2}`,
		`{"a":1,"\u0061":2}`, `{"":1,"":2}`, `{"a":{"b":1,"b":2}}`, "<order/>", "order_id=1", "%PDF-1.7", "\x1f\x8b\x08\x00", "GET / HTTP/1.1\r\n\r\n",
		strings.Repeat("[", 10_000), strings.Repeat(`{"a":`, 10_000), strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000),
		`{"a":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}", `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
		"{" + strings.Repeat(`"a":1,`, 5_000) + `"a":1}`, strings.Repeat("\\", 10_000), `{"a":"` + strings.Repeat(`\ud83d`, 5_000) + `"}`,
	} {
		a.everywhere(400, body)
	}
	for _, id := range []string{
		`""`, `" "`, `"."`, `"a b"`, `"a/b"`, `"../x"`, `"a\u0000"`, `"\u0000"`, `"王"`, `"a\n"`, `"{x}"`, `"a*"`, `"` + strings.Repeat("a", 129) + `"`,
		"null", "1", "[]", "{}", "true",
	} {
		a.everywhere(422, `{"order_id":`+id+`}`)
	}
}

// sizes are around the bounds.
func (a *arsenal) sizes() {
	padded := func(size int) string {
		order := a.good()
		return strings.TrimSuffix(order, "}") + `,"pad":"` + strings.Repeat("x", size-len(order)-len(`,"pad":""`)) + `"}`
	}
	const most = 64 << 10
	a.add(202, padded(most-1))
	a.add(202, padded(most))
	a.add(413, padded(most+1))
	a.add(413, strings.Repeat(" ", 200_000))
	a.add(400, strings.Repeat(" ", most))
	a.batch(200, array, "["+padded(most)+","+padded(most+1)+"]")
	a.batch(200, lines, padded(most)+"\n"+padded(most+1)+"\n"+a.good())
	a.batch(200, array, "[]")
	a.batch(200, lines, "\n\r\n \n")
	a.batch(413, array, "["+strings.Repeat("0,", 1000)+"0]")
	a.batch(200, array, "["+strings.Repeat("0,", 999)+"0]")
	a.batch(413, lines, strings.Repeat("0\n", 1001))
	a.batch(200, lines, strings.Repeat("0\n", 1000))
	a.batch(400, array, "["+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+"]")
}

// wrongTypes puts every kind of value into every field.
func (a *arsenal) wrongTypes() {
	values := []string{
		"null", "true", "false", `""`, `" "`, "[]", "{}", "[[]]", "[{}]", "[null]", `{"a":1}`, "0", "-0", "-1", "0.5", "-1e-999999999", "1e999999999",
		"1E-999999999", strings.Repeat("9", 300), "-" + strings.Repeat("9", 60_000), `"-1"`, `"1e999999999"`, `"NaN"`, `"0x1"`, `"1,5"`, `"\u0000"`,
		`"` + strings.Repeat("x", 60_000) + `"`, `"@"`, `"a@b@c"`, `"EUX"`, `"2026-02-30T00:00:00Z"`, `"9999-12-31T23:59:59.999999999999+23:59"`,
		`"0000-01-01T00:00:00Z"`, "[" + strings.Repeat("0,", 600) + "0]", "[" + strings.Repeat(`{"sku":"s","quantity":1},`, 500) + `{"sku":"s","quantity":1}]`,
	}
	for _, field := range []string{
		"order_id", "amount", "currency", "customer_id", "email", "phone", "created_at", "items", "sku", "name", "quantity", "price", "unit_price", "note", "__proto__",
	} {
		for _, value := range values {
			a.everywhere(0, a.bad(field, value))
		}
	}
}

func (a *arsenal) mediaTypes() {
	for _, media := range []string{
		"", "text/plain", "text/json", "application/xml", "application/jsonx", "application/json; charset=latin1", "application/json; charset", ";", "/", "*/*",
		"multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json, text/plain", strings.Repeat("a", 5_000), "application/json\t;=",
	} {
		a.shots = append(a.shots, shot{"/v1/orders", media, a.good(), 415}, shot{"/v1/orders:batch", media, a.good(), 415})
	}
	a.shots = append(a.shots, shot{"/v1/orders", lines, a.good(), 415})
}

func (a *arsenal) truncations() {
	for i := range len(a.good()) {
		a.add(400, a.good()[:i])
	}
	two := func(between string) string { return a.good() + between + a.good() }
	for i := range len(two(",")) + 1 {
		a.batch(400, array, ("[" + two(","))[:i])
		a.batch(200, lines, two("\n")[:i])
	}
}

func (a *arsenal) bitFlips() {
	for i := range 8 * len(a.good()) {
		flip := func(body string, i int) string {
			b := []byte(body)
			b[i/8] ^= 1 << (i % 8)
			return string(b)
		}
		a.add(0, flip(a.good(), i))
		if i%4 == 0 {
			a.batch(0, array, flip("["+a.good()+"]", i))
			a.batch(0, lines, flip(a.good()+"\n"+a.good(), i))
		}
	}
}

// pieces are what damage inserts.
var pieces = []string{
	"\x00", "\xff", `"`, "\\", "{", "}", "[", "]", ",", ":", "\n", "\r\n", "null", "-", "1e999999999", `\u0000`, `\ud800`, `"order_id":"x",`, " ", "\xe7\x8e",
}

// damaged takes parts away, doubles them, and puts others in.
func (a *arsenal) damaged(body string) string {
	for range 1 + a.rand.IntN(4) {
		from := a.rand.IntN(len(body) + 1)
		to := min(len(body), from+a.rand.IntN(12))
		switch a.rand.IntN(4) {
		case 0:
			body = body[:from] + body[to:]
		case 1:
			body = body[:to] + body[from:]
		case 2:
			body = body[:from] + pieces[a.rand.IntN(len(pieces))] + body[from:]
		case 3:
			body = body[:from] + pieces[a.rand.IntN(len(pieces))] + body[to:]
		}
	}
	return body
}
