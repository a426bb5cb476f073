package main

import (
	"encoding"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// print writes the effective values as YAML, each with where it came from.
func (c *loaded) print(w io.Writer) error {
	var section string
	for _, l := range leaves(&c.Config) {
		section = printSections(w, section, l.key)
		name := l.key[strings.LastIndexByte(l.key, '.')+1:]
		indent := strings.Repeat("  ", strings.Count(l.key, "."))
		value, err := l.yaml()
		if err != nil {
			return fmt.Errorf("print %s: %w", l.key, err)
		}
		if _, err := fmt.Fprintf(w, "%s%s: %s  # %s\n", indent, name, value, c.origin(l.key).label); err != nil {
			return err
		}
	}
	return nil
}

// printSections writes the headings that key needs and the one before had not.
func printSections(w io.Writer, last, key string) string {
	names := strings.Split(key, ".")
	parents := names[:len(names)-1]
	had := strings.Split(last, ".")
	for i, name := range parents {
		if i < len(had) && strings.Join(had[:i+1], ".") == strings.Join(parents[:i+1], ".") {
			continue
		}
		fmt.Fprintf(w, "%s%s:\n", strings.Repeat("  ", i), name)
	}
	return strings.Join(parents, ".")
}

// yaml gives the value on one line, as it could stand in the file.
func (l leaf) yaml() (string, error) {
	var value any
	switch v := l.field.Interface().(type) {
	case Secret:
		value = v.String()
	case map[string]string: // headers carry keys of APIs often enough
		names := make(map[string]string, len(v))
		for name := range v {
			names[name] = hidden
		}
		value = names
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return "", err
		}
		value = string(text)
	case time.Duration:
		value = durationText(v)
	default:
		value = v
	}
	if l.key == "consumer.api.url" {
		value = withoutQuery(l.field.String())
	}
	var node yaml.Node
	if err := node.Encode(value); err != nil {
		return "", err
	}
	flow(&node)
	out, err := yaml.Marshal(&node)
	return strings.TrimSpace(string(out)), err
}

// flow puts lists and maps on one line.
func flow(n *yaml.Node) {
	n.Style |= yaml.FlowStyle
	if n.Kind == yaml.ScalarNode {
		n.Style &^= yaml.FlowStyle
	}
	for _, child := range n.Content {
		flow(child)
	}
}

// withoutQuery hides a query: some partners want their key there.
func withoutQuery(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.RawQuery == "" {
		return text
	}
	before, _, _ := strings.Cut(text, "?")
	return before + "?" + hidden
}
