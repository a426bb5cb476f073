package main

import (
	"encoding"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// leaf is one key of the configuration and the field that holds its value.
type leaf struct {
	key   string
	field reflect.Value
}

// leaves lists the keys of c in the order of its fields.
func leaves(c *Config) []leaf { return appendLeaves(nil, "", reflect.ValueOf(c).Elem()) }

// appendLeaves descends into what has tagged fields: a section. Other structs,
// such as a pace, are values.
func appendLeaves(all []leaf, prefix string, section reflect.Value) []leaf {
	for i := range section.NumField() {
		key := prefix + section.Type().Field(i).Tag.Get("koanf")
		field := section.Field(i)
		if field.Kind() == reflect.Struct && field.Type().Field(0).Tag.Get("koanf") != "" {
			all = appendLeaves(all, key+".", field)
			continue
		}
		all = append(all, leaf{key: key, field: field})
	}
	return all
}

// set reads a text, a list of texts or a map of texts into the field.
func (l leaf) set(raw any) error {
	text, isText := raw.(string)
	if !isText {
		return l.setMany(raw)
	}
	if p, ok := reflect.TypeAssert[*Secret](l.field.Addr()); ok {
		*p = Secret(text)
		return nil
	}
	return l.setText(strings.TrimSpace(text))
}

func (l leaf) setText(text string) (err error) {
	switch p := l.field.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	case *[]string:
		*p = splitList(text)
	case *map[string]string:
		*p, err = splitMap(text)
	case *time.Duration:
		if *p, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("%q: want a duration with its unit, such as 10s, 500ms or 72h", text)
		}
	case *bool:
		*p, err = parseBool(text)
	case *int:
		if *p, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("%q: want a whole number", text)
		}
	case *int64:
		if *p, err = strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("%q: want a whole number", text)
		}
	default:
		l.field.SetString(text)
	}
	return err
}

// setMany takes what only the file can give: real lists and maps.
func (l leaf) setMany(raw any) error {
	switch p := l.field.Addr().Interface().(type) {
	case *[]string:
		if list, ok := raw.([]string); ok {
			*p = list
			return nil
		}
		return fmt.Errorf("want a list")
	case *map[string]string:
		if m, ok := raw.(map[string]any); ok {
			return setHeaders(p, m)
		}
		return fmt.Errorf("want names with values")
	}
	return fmt.Errorf("want one value, not a list or a section")
}

func setHeaders(p *map[string]string, m map[string]any) error {
	headers := make(map[string]string, len(m))
	for name, value := range m {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("%s: want one value, not a list or a section", name)
		}
		headers[http.CanonicalHeaderKey(name)] = text
	}
	*p = headers
	return nil
}

// splitList reads "a, b". An empty text is an empty list.
func splitList(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// splitMap reads "Name=value, Other=value".
func splitMap(text string) (map[string]string, error) {
	m := map[string]string{}
	for _, item := range splitList(text) {
		name, value, ok := strings.Cut(item, "=")
		if !ok {
			return nil, fmt.Errorf("want NAME=VALUE pairs with commas between")
		}
		m[http.CanonicalHeaderKey(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	return m, nil
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q: want true or false", text)
}

// schema answers which names there are.
type schema struct {
	leaves   []leaf
	keys     map[string]bool   // every key that holds a value
	sections map[string]bool   // every section above one
	variable map[string]string // name in the environment -> key
}

func newSchema(c *Config) schema {
	s := schema{
		leaves: leaves(c), keys: map[string]bool{},
		sections: map[string]bool{}, variable: map[string]string{},
	}
	for _, l := range s.leaves {
		s.keys[l.key] = true
		s.variable[variableName(l.key)] = l.key
		for i, r := range l.key {
			if r == '.' {
				s.sections[l.key[:i]] = true
			}
		}
	}
	return s
}

// variableName is what a key a.b_c is called in the environment: ORDERQ_A__B_C.
func variableName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

func (s schema) firstIn(section string) string {
	for _, l := range s.leaves {
		if strings.HasPrefix(l.key, section+".") {
			return l.key
		}
	}
	return section
}
