package producer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// contract holds requests and answers against openapi.yaml, and remembers which
// of the answers it describes it has seen.
type contract struct {
	doc     *openapi3.T
	paths   *http.ServeMux // leads nowhere; its patterns are the paths described
	schemas schemas

	mu   sync.Mutex
	seen map[string]bool // operation and status, such as "getOrder 200"
}

// root is the pattern of the path /.
const root = "/{$}"

// theContract is that of the file in this directory, which is what the handler
// serves.
var theContract = sync.OnceValues(func() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	c := &contract{doc: doc, paths: http.NewServeMux(), schemas: schemas{doc: doc}, seen: map[string]bool{}}
	for path := range doc.Paths.Map() {
		if path == "/" {
			path = root // to ServeMux, / alone would be every path
		}
		c.paths.Handle(path, http.NotFoundHandler())
	}
	return c, nil
})

// exchange is a request, as far as its body was read, and its answer.
type exchange struct {
	request *http.Request
	sent    []byte
	status  int
	header  http.Header
	answer  []byte
	idField string // the producer's, if it is not order_id
}

// problemParts are what the checks below read of a problem document.
type problemParts struct {
	Type, Instance string
	Status         int
	Errors         []struct{ Pointer, Code string }
}

func (e exchange) problem() (p problemParts) {
	_ = json.Unmarshal(e.answer, &p)
	return p
}

// check says in what the exchange is not as the document describes it.
func (c *contract) check(e exchange) error {
	err := c.everywhere(e)
	item := c.pathItem(e.request)
	preflight := e.request.Method == http.MethodOptions && e.request.Header.Get("Access-Control-Request-Method") != ""
	switch {
	case e.problem().Type == "urn:orderq:problem:cross-origin" && (item == nil || item.GetOperation(e.request.Method) == nil):
		return err // such a request is refused before its path is looked at
	case item == nil && !preflight && e.status != http.StatusNotFound:
		return errors.Join(err, fmt.Errorf("a path that is not described is answered %d", e.status))
	case item == nil:
		return err
	}
	op := item.GetOperation(e.request.Method)
	if op == nil && e.status == http.StatusNotFound && item.Options.Responses.Value("404") != nil {
		return err // a path that this server does not have
	}
	if op == nil {
		return errors.Join(err, unknownMethod(item, e))
	}
	c.mu.Lock()
	c.seen[fmt.Sprintf("%s %d", op.OperationID, e.status)] = true
	c.mu.Unlock()
	err = errors.Join(err, c.answered(op, e))
	if e.status/100 == 2 && !preflight {
		err = errors.Join(err, c.taken(item, op, e))
	}
	return errors.Join(err, c.orders(e))
}

// pathItem is what the document says of the request's path; nil if nothing.
func (c *contract) pathItem(r *http.Request) *openapi3.PathItem {
	if path.Clean(r.URL.Path) != r.URL.Path {
		return nil
	}
	_, pattern := c.paths.Handler(r)
	if pattern == root {
		pattern = "/"
	}
	return c.doc.Paths.Value(pattern)
}

// everywhere is what the document says of all answers.
func (c *contract) everywhere(e exchange) (err error) {
	if got := e.header.Get("X-Content-Type-Options"); got != "nosniff" {
		err = fmt.Errorf("X-Content-Type-Options is %q", got)
	}
	if got := e.header.Get("Cache-Control"); got != "no-store" && (got != "no-cache" || e.header.Get("ETag") == "") {
		err = errors.Join(err, fmt.Errorf("Cache-Control is %q", got))
	}
	if e.status < 400 || e.request.Method == http.MethodHead {
		return err
	}
	p := e.problem()
	if want := "urn:request:" + e.header.Get("X-Request-Id"); p.Instance != want {
		err = errors.Join(err, fmt.Errorf("instance is %q, want %q", p.Instance, want))
	}
	if p.Status != e.status {
		err = errors.Join(err, fmt.Errorf("a problem of status %d is answered %d", p.Status, e.status))
	}
	return errors.Join(err, c.schemas.match(c.doc.Components.Schemas["Problem"].Value, e.answer))
}

// unknownMethod: the methods that a path has are those that are described.
func unknownMethod(item *openapi3.PathItem, e exchange) error {
	want := strings.Join(slices.Sorted(maps.Keys(item.Operations())), ", ")
	if got := e.header.Get("Allow"); e.status != http.StatusMethodNotAllowed || got != want {
		return fmt.Errorf("a method that is not described is answered %d with Allow %q, want 405 with %q", e.status, got, want)
	}
	return nil
}

// onlyWhereDescribed are the headers that tell a client something: an answer has
// them only where they are described.
var onlyWhereDescribed = []string{"Location", "Retry-After", "Idempotent-Replayed", "Www-Authenticate", "Allow"}

// answered holds the answer against those that its operation has.
func (c *contract) answered(op *openapi3.Operation, e exchange) error {
	ref := op.Responses.Status(e.status)
	if ref == nil {
		return fmt.Errorf("%s: the status %d is not described", op.OperationID, e.status)
	}
	var err error
	described := map[string]bool{}
	for name, header := range ref.Value.Headers {
		described[http.CanonicalHeaderKey(name)] = true
		value := e.header.Get(name)
		quoted, _ := json.Marshal(value)
		switch {
		case value != "":
			err = errors.Join(err, wrapped("header "+name, c.schemas.match(header.Value.Schema.Value, quoted)))
		case header.Value.Required:
			err = errors.Join(err, fmt.Errorf("header %s is missing", name))
		}
	}
	for _, name := range onlyWhereDescribed {
		if e.header.Get(name) != "" && !described[name] {
			err = errors.Join(err, fmt.Errorf("header %s is not described", name))
		}
	}
	return errors.Join(err, c.body(ref.Value.Content, e))
}

func (c *contract) body(content openapi3.Content, e exchange) error {
	if e.request.Method == http.MethodHead { // whose body net/http leaves out
		return nil
	}
	media := content.Get(e.header.Get("Content-Type"))
	switch {
	case len(content) == 0 && len(e.answer) > 0:
		return errors.New("an answer without a body has one")
	case len(content) == 0:
		return nil
	case media == nil:
		return fmt.Errorf("the media type %q is not described", e.header.Get("Content-Type"))
	case media.Schema.Value.Type.Is("string"):
		return nil
	}
	return wrapped("answer", c.schemas.match(media.Schema.Value, e.answer))
}

// taken: what we accept is what we describe. Of the orders in a body see
// [contract.orders]; of tokens the document says when none is wanted.
func (c *contract) taken(item *openapi3.PathItem, op *openapi3.Operation, e exchange) error {
	bare := e.request.WithContext(e.request.Context())
	bare.Body = http.NoBody
	err := openapi3filter.ValidateRequest(e.request.Context(), &openapi3filter.RequestValidationInput{
		Request: bare, PathParams: map[string]string{"id": path.Base(e.request.URL.Path)},
		Route:   &routers.Route{Spec: c.doc, PathItem: item, Operation: op, Method: e.request.Method},
		Options: &openapi3filter.Options{ExcludeRequestBody: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	if body := op.RequestBody; body != nil && body.Value.Content.Get(e.request.Header.Get("Content-Type")) == nil {
		err = errors.Join(err, errors.New("accepted, and its media type is not described"))
	}
	return wrapped("request", err)
}

// orders: an order that was accepted is one as described, and one that was
// refused for its fields is none.
func (c *contract) orders(e exchange) error {
	if e.request.Method != http.MethodPost {
		return nil
	}
	switch e.request.URL.Path {
	case "/v1/orders":
		return c.order(e, e.sent, strings.Join(e.request.Header.Values("Idempotency-Key"), ", "), e.status, e.problem())
	case "/v1/orders:batch":
		if e.status == http.StatusOK {
			return c.batch(e)
		}
	}
	return nil
}

func (c *contract) batch(e exchange) error {
	var got struct {
		Results []struct {
			Status  int
			Problem problemParts
		}
	}
	if err := json.Unmarshal(e.answer, &got); err != nil {
		return err
	}
	parts, err := parts(e)
	if err != nil || len(parts) != len(got.Results) {
		return fmt.Errorf("%d results for %d orders (%w)", len(got.Results), len(parts), err)
	}
	for i, part := range parts {
		err = errors.Join(err, wrapped(fmt.Sprintf("order %d", i), c.order(e, part, "", got.Results[i].Status, got.Results[i].Problem)))
	}
	return err
}

// parts are the orders of a batch.
func parts(e exchange) (list []json.RawMessage, err error) {
	if strings.HasPrefix(e.request.Header.Get("Content-Type"), "application/json") {
		return list, json.Unmarshal(e.sent, &list)
	}
	for line := range bytes.SplitSeq(e.sent, []byte("\n")) {
		if line = bytes.TrimSuffix(line, []byte("\r")); len(bytes.Trim(line, " \t\r")) > 0 {
			list = append(list, line)
		}
	}
	return list, nil
}

// order holds one order and what was said of it against the schema.
func (c *contract) order(e exchange, body []byte, key string, status int, p problemParts) error {
	if status != http.StatusAccepted && status != http.StatusUnprocessableEntity {
		return nil
	}
	body, err := withID(body, key, e.idField)
	if err == nil {
		err = c.schemas.match(c.doc.Components.Schemas["Order"].Value, body)
	}
	switch {
	case status == http.StatusAccepted:
		return wrapped("accepted", err)
	case err == nil && !beyondSchemas(p):
		return fmt.Errorf("refused, and valid by the document: %s", p.Errors)
	}
	return nil
}

// beyondSchemas reports whether all that is wrong is something no schema can
// say: how many digits a number is written with.
func beyondSchemas(p problemParts) bool {
	return !slices.ContainsFunc(p.Errors, func(f struct{ Pointer, Code string }) bool {
		return f.Pointer != "#/customer_id" || f.Code != "length"
	})
}

func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
