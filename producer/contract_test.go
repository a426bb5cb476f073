package producer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-playground/validator/v10"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

func mustContract(t *testing.T) *contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDocumentIsSound(t *testing.T) {
	if err := mustContract(t).doc.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := usual(t)
	first := s.get("/openapi.yaml")
	if got := string(first.body); got != strings.TrimSpace(string(want)) {
		t.Errorf("what is served is another document of %d bytes", len(got))
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		again := s.send(method, "/openapi.yaml", nil, "If-None-Match", first.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified || len(again.body) != 0 {
			t.Errorf("%s of what is known: got %d and %d bytes", method, again.StatusCode, len(again.body))
		}
	}
}

// The document lists the currencies that the check takes, and no others.
func TestDocumentedCurrencies(t *testing.T) {
	list := mustContract(t).doc.Components.Schemas["Currency"].Value.Enum
	rules := validator.New()
	for i := range 26 * 26 * 26 {
		code := string([]byte{'A' + byte(i/676), 'A' + byte(i/26%26), 'A' + byte(i%26)})
		if taken := rules.Var(code, "iso4217") == nil; taken != slices.Contains(list, any(code)) {
			t.Errorf("%s is taken: %v, and the document says otherwise", code, taken)
		}
	}
}

// Every operation that wants a token refuses as described: whoever has none,
// whoever may not, whoever comes too often, and all when Redis is away.
func TestEveryOperationRefuses(t *testing.T) {
	c := mustContract(t)
	tokens, err := producer.ParseTokens("s submit secret-submit\nr read secret-read\nc cancel secret-cancel")
	if err != nil {
		t.Fatal(err)
	}
	redis := redistest.Shared(t).Addr()
	guarded := open(t, redis, streamutil.QueueConfig{}, producer.Config{Tokens: func() producer.Tokens { return tokens }})
	away := open(t, "127.0.0.1:1", streamutil.QueueConfig{}, producer.Config{})
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if len(*op.Security) == 0 {
				continue
			}
			t.Run(op.OperationID, func(t *testing.T) {
				limited := open(t, redis, streamutil.QueueConfig{}, producer.Config{RateLimit: producer.Rate{Requests: 1, Per: time.Hour}})
				call(limited, method, path)
				scope := (*op.Security)[0]["bearer"][0]
				other := map[string]string{"submit": "read", "read": "cancel", "cancel": "submit"}[scope]
				for what, got := range map[string]struct{ is, want int }{
					"no token":            {call(guarded, method, path), 401},
					"unknown token":       {call(guarded, method, path, "Authorization", "Bearer secret"), 401},
					"token without scope": {call(guarded, method, path, "Authorization", "Bearer secret-"+other), 403},
					"too often":           {call(limited, method, path), 429},
					"Redis away":          {call(away, method, path), 503},
				} {
					if got.is != got.want {
						t.Errorf("%s: got %d, want %d", what, got.is, got.want)
					}
				}
				if got := call(guarded, method, path, "Authorization", "Bearer secret-"+scope); got == 401 || got == 403 {
					t.Errorf("the token with the scope %s got %d", scope, got)
				}
			})
		}
	}
}

// call makes a request that is right but for what the test is about.
func call(s *shop, method, path string, header ...string) int {
	path = strings.ReplaceAll(path, "{id}", "A-1")
	body := map[string]string{"/v1/orders": order, "/v1/orders:batch": "[" + order + "]"}[path]
	return s.send(method, path, strings.NewReader(body), append(header, "Content-Type", "application/json")...).StatusCode
}

func TestEveryPathHasItsMethods(t *testing.T) {
	s := usual(t)
	away := open(t, "127.0.0.1:1", streamutil.QueueConfig{}, producer.Config{})
	for path := range mustContract(t).doc.Paths.Map() {
		path = strings.ReplaceAll(path, "{id}", "A-1")
		away.send(http.MethodHead, path, nil)
		if r := s.send(http.MethodOptions, path, nil); r.StatusCode != http.StatusNoContent || r.Header.Get("Allow") == "" {
			t.Errorf("OPTIONS %s: got %d", path, r.StatusCode)
		}
		for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodTrace, "BREW"} {
			if got := s.send(method, path, nil).StatusCode; got != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: got %d", method, path, got)
			}
		}
	}
}

// The contract must notice what is not as described; else it proves nothing.
func TestContractNotices(t *testing.T) {
	const fault = `,"errors":[{"pointer":"#/email","code":"format","detail":"d"}]`
	tests := []struct {
		name, want string // nothing is wrong where want is ""
		e          exchange
	}{
		{"accepted", "", accepted()},
		{"not taken", "", accepted(refused(503, "full", ""), header("Retry-After", "2"))},
		{"a batch", "", accepted(batched(array, "["+order+"]"))},
		{"lines", "", accepted(batched(lines, "\n"+order+"\r\n"))},
		{"unknown status", "418 is not described", accepted(func(e *exchange) { e.status = 418 })},
		{"one more member", "additional properties 'x'", accepted(replaced(`{`, `{"x":1,`))},
		{"one less", "missing property 'state'", accepted(replaced(`"state":"waiting",`, ``))},
		{"unknown state", "/state", accepted(replaced(`"waiting"`, `"lost"`))},
		{"position 0", "/position", accepted(replaced(`"position":1`, `"position":0`))},
		{"no time", "date-time", accepted(replaced(`"estimated_at":null`, `"estimated_at":"2026-13-01T00:00:00.000Z"`))},
		{"another media type", "media type", accepted(header("Content-Type", "text/plain"))},
		{"a header too many", "Retry-After is not described", accepted(header("Retry-After", "1"))},
		{"replayed: false", "Idempotent-Replayed", accepted(header("Idempotent-Replayed", "false"))},
		{"no location", "Location is missing", accepted(header("Location", ""))},
		{"no request id", "X-Request-Id is missing", accepted(header("X-Request-Id", ""))},
		{"cached", "Cache-Control", accepted(header("Cache-Control", "public"))},
		{"sniffed", "X-Content-Type-Options", accepted(header("X-Content-Type-Options", ""))},
		{"503 without Retry-After", "Retry-After is missing", accepted(refused(503, "full", ""))},
		{"another kind", "/type", accepted(refused(409, "full", ""))},
		{"malformed without offset", "offset", accepted(refused(400, "malformed", ""))},
		{"conflict with errors", "errors", accepted(refused(409, "conflict", fault))},
		{"another's instance", "instance", accepted(refused(409, "conflict", ""), header("X-Request-Id", "other"))},
		{"another status", "a problem of status 409", accepted(refused(409, "conflict", ""), func(e *exchange) { e.status = 404 })},
		{"took an amount below 0", "accepted", accepted(sent(`{"order_id":"A-1","amount":-1,"currency":"EUR"}`))},
		{"took a sum without currency", "accepted", accepted(sent(`{"order_id":"A-1","amount":1}`))},
		{"took no id", "without an id", accepted(sent(`{}`))},
		{"took another media type", "media type", accepted(func(e *exchange) { e.request.Header.Set("Content-Type", "text/plain") })},
		{"refused a good order", "valid by the document", accepted(refused(422, "invalid-order", fault))},
		{"took a bad item", "order 0: accepted", accepted(batched(array, `[{"order_id":"A-1","phone":"1"}]`))},
		{"lost an item", "1 results for 2 orders", accepted(batched(array, "["+order+","+order+"]"))},
		{"unknown path", "a path that is not described", accepted(func(e *exchange) { e.request.URL.Path = "/v1/x" })},
		{"unknown method", "a method that is not described", accepted(func(e *exchange) { e.request.Method = http.MethodPut })},
	}
	doc := mustContract(t)
	alone := &contract{doc: doc.doc, paths: doc.paths, schemas: schemas{doc: doc.doc}, seen: map[string]bool{}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := fmt.Sprint(alone.check(tt.e))
			if tt.want == "" && got != "<nil>" || !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %q", got, tt.want)
			}
		})
	}
}

// exampleReceipt is an answer as described.
const exampleReceipt = `{"order_id":"A-1","entry_id":"1-0","state":"waiting","position":1,"estimated_at":null,` +
	`"duplicate":false,"durability":"memory"}`

// accepted is an exchange as described, but for what is changed.
func accepted(changes ...func(*exchange)) exchange {
	e := exchange{
		request: httptest.NewRequest(http.MethodPost, "/v1/orders", nil), sent: []byte(order), status: http.StatusAccepted,
		answer: []byte(exampleReceipt), header: http.Header{},
	}
	e.request.Header.Set("Content-Type", array)
	for name, value := range map[string]string{
		"X-Request-Id": "r", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Content-Type": "application/json", "Location": "/v1/orders/A-1",
	} {
		e.header.Set(name, value)
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

func header(name, value string) func(*exchange) {
	return func(e *exchange) { e.header.Set(name, value) }
}

func sent(body string) func(*exchange) { return func(e *exchange) { e.sent = []byte(body) } }

// replaced puts one text in another's place in the receipt.
func replaced(old, now string) func(*exchange) {
	return func(e *exchange) { e.answer = []byte(strings.Replace(exampleReceipt, old, now, 1)) }
}

// refused makes it a refusal; more are further members.
func refused(status int, kind, more string) func(*exchange) {
	return func(e *exchange) {
		e.status = status
		e.header.Set("Content-Type", "application/problem+json")
		e.header.Del("Location")
		e.answer = fmt.Appendf(nil, `{"type":"urn:orderq:problem:%s","title":"t","status":%d,"detail":"d","instance":"urn:request:r"%s}`,
			kind, status, more)
	}
}

// batched makes it a batch with one order accepted.
func batched(media, body string) func(*exchange) {
	return func(e *exchange) {
		e.request.URL.Path, e.status, e.sent = "/v1/orders:batch", http.StatusOK, []byte(body)
		e.request.Header.Set("Content-Type", media)
		e.header.Del("Location")
		e.answer = []byte(`{"accepted":1,"duplicates":0,"rejected":0,"durability":"memory",` +
			`"results":[{"order_id":"A-1","status":202,"entry_id":"1-0","state":"waiting","duplicate":false}]}`)
	}
}
