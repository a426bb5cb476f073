package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/knadh/koanf/maps"
	"go.yaml.in/yaml/v3"
)

// yamlParser is a [koanf.Parser] that gives every scalar as it was written: a
// password 0123 stays 0123. It knows the schema, so it can name the line of
// every key that it does not know or that comes twice.
type yamlParser struct {
	name     string // the file's name, for messages
	schema   schema
	problems *problems
	lines    map[string]int // key -> its line
	flat     map[string]any // key -> text, list of texts or map of texts
}

// Unmarshal gives the known keys of a document as nested maps. What is wrong
// goes to the problems; the error says only that the file is no YAML at all.
func (p *yamlParser) Unmarshal(b []byte) (map[string]any, error) {
	p.lines, p.flat = map[string]int{}, map[string]any{}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return map[string]any{}, nil
	} else if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("holds more than one document: want one, without a second ---")
	}
	p.section("", doc.Content[0])
	return maps.Unflatten(p.flat, "."), nil
}

// Marshal is the other half of koanf.Parser; nothing here writes with it.
func (p *yamlParser) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.New("write yaml: not supported")
}

func (p *yamlParser) problem(n *yaml.Node, key, text string) {
	p.problems.add(fmt.Sprintf("%s:%d", p.name, n.Line), key, text)
}

// section reads the keys below a prefix, which is empty or ends in a dot.
func (p *yamlParser) section(prefix string, n *yaml.Node) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.problem(n, strings.TrimSuffix(prefix, "."), "want a section: keys with values")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if name.ShortTag() == "!!merge" || name.Kind != yaml.ScalarNode {
			p.problem(name, strings.TrimSuffix(prefix, "."), "only plain names can be keys here; write merged values out")
			continue
		}
		p.entry(prefix+name.Value, name, value)
	}
}

// entry reads one key. One without a value (null) is as good as not there, but
// still must not come twice.
func (p *yamlParser) entry(key string, name, value *yaml.Node) {
	if first, twice := p.lines[key]; twice {
		p.problem(name, key, fmt.Sprintf("comes twice, first on line %d", first))
		return
	}
	p.lines[key] = name.Line
	switch {
	case p.schema.sections[key]:
		p.section(key+".", value)
	case !p.schema.keys[key]:
		p.problem(name, key, p.schema.unknownKey(key))
	case !isNull(value):
		if raw, err := plain(value); err != nil {
			p.problem(value, key, err.Error())
		} else {
			p.flat[key] = raw
		}
	}
}

// plain turns a node into a text, a list of texts or a map of texts.
func plain(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		return scalar(n)
	case yaml.SequenceNode:
		list := make([]string, 0, len(n.Content))
		for _, item := range n.Content {
			text, err := scalar(item)
			if err != nil {
				return nil, err
			}
			list = append(list, text)
		}
		return list, nil
	case yaml.MappingNode:
		return plainMap(n)
	case yaml.AliasNode, yaml.DocumentNode:
	}
	return nil, errors.New("references (*name) are not supported; write the value out")
}

func plainMap(n *yaml.Node) (any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if _, twice := m[name]; twice {
			return nil, fmt.Errorf("%s comes twice", name)
		}
		text, err := scalar(n.Content[i+1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m[name] = text
	}
	return m, nil
}

func scalar(n *yaml.Node) (string, error) {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp":
		return n.Value, nil
	case "!!null":
		return "", nil
	}
	return "", errors.New("want a plain value")
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
