package producer_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-playground/validator/v10"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas compiles each schema of a document once. openapi3's own check compiles
// it for every value, which would cost the tests minutes.
type schemas struct {
	doc      *openapi3.T
	mu       sync.Mutex
	compiled map[*openapi3.Schema]*jsonschema.Schema
}

// match holds JSON text against a schema.
func (s *schemas) match(schema *openapi3.Schema, text []byte) error {
	compiled, err := s.get(schema)
	if err != nil {
		return err
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	return compiled.Validate(finite(value))
}

func (s *schemas) get(schema *openapi3.Schema) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if compiled := s.compiled[schema]; compiled != nil {
		return compiled, nil
	}
	if s.compiled == nil {
		s.compiled = map[*openapi3.Schema]*jsonschema.Schema{}
	}
	compiled, err := s.compile(schema)
	s.compiled[schema] = compiled
	return compiled, err
}

func (s *schemas) compile(schema *openapi3.Schema) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.RegisterFormat(&jsonschema.Format{Name: "email", Validate: isAddress})
	compiler.AssertFormat()
	for name, part := range map[string]any{"file:///doc.json": s.doc, "file:///schema.json": schema} {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		resource, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(string(text), `"$ref":"#/`, `"$ref":"doc.json#/`)))
		if err != nil {
			return nil, err
		}
		if err := compiler.AddResource(name, resource); err != nil {
			return nil, err
		}
	}
	return compiler.Compile("file:///schema.json")
}

var addresses = validator.New()

// isAddress is what the format email means here: the standard leaves much open.
func isAddress(value any) error {
	if text, ok := value.(string); ok {
		return addresses.Var(text, "email")
	}
	return nil
}

// finite puts numbers in reach in the place of those that are too large, or too
// close to 0, for exact arithmetic to end.
func finite(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = finite(v[key])
		}
	case []any:
		for i := range v {
			v[i] = finite(v[i])
		}
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		mantissa, _, _ := strings.Cut(strings.ToLower(string(v)), "e")
		switch {
		case err != nil:
			return math.Copysign(1e300, f)
		case f == 0 && strings.ContainsAny(mantissa, "123456789"):
			return math.Copysign(1e-300, f)
		}
	}
	return value
}

// withID gives the order as the document means it: the id that came otherwise
// put where the document has it.
func withID(body []byte, key, idField string) ([]byte, error) {
	if !json.Valid(body) {
		return nil, errors.New("not JSON")
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	if idField != "" {
		delete(members, "order_id")
		if id, ok := members[idField]; ok {
			members["order_id"] = id
		}
	}
	if members["order_id"] == nil {
		if key == "" {
			return nil, errors.New("an order without an id")
		}
		if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
			key = key[1 : len(key)-1]
		}
		members["order_id"], _ = json.Marshal(key)
	}
	return json.Marshal(members)
}
