package main

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// layer is one source of values; later layers win over earlier ones.
type layer struct {
	values *koanf.Koanf
	origin map[string]origin // of each key that the layer sets
	legacy map[string]assignment
	// legacyOrigin is where a legacy name of this layer stands.
	legacyOrigin func(assignment) origin
}

func newLayer() *layer {
	return &layer{values: koanf.New("."), origin: map[string]origin{}, legacy: map[string]assignment{}}
}

// fileLayer reads the configuration file.
func fileLayer(path string, s schema, p *problems) *layer {
	l := newLayer()
	parser := &yamlParser{name: path, schema: s, problems: p}
	if err := l.values.Load(file.Provider(path), parser); err != nil {
		p.add("", path, whyUnread(err))
	}
	for key := range parser.flat {
		l.origin[key] = origin{
			layer: "file " + path, label: "file " + path,
			at: path + ":" + strconv.Itoa(parser.lines[key]), dir: filepath.Dir(path),
		}
	}
	return l
}

// dotenvParser is the [koanf.Parser] of .env files.
type dotenvParser struct {
	path     string
	schema   schema
	problems *problems
	layer    *layer
}

// Unmarshal gives the keys that the file sets; legacy names go to the layer.
func (d *dotenvParser) Unmarshal(b []byte) (map[string]any, error) {
	at := func(line int) string { return d.path + ":" + strconv.Itoa(line) }
	flat := map[string]any{}
	bad := func(line int, name, text string) { d.problems.add(at(line), name, text) }
	for _, a := range parseDotenv(string(b), bad) {
		if isLegacyName(a.name) {
			d.layer.legacy[a.name] = a
			continue
		}
		if key := d.schema.variableKey(a.name, at(a.line), d.problems); key != "" {
			flat[key] = a.value
			d.layer.origin[key] = origin{layer: ".env", label: ".env", at: at(a.line) + ": " + a.name, dir: filepath.Dir(d.path)}
		}
	}
	return maps.Unflatten(flat, "."), nil
}

// Marshal is the other half of koanf.Parser; nothing here writes with it.
func (d *dotenvParser) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.New("write .env: not supported")
}

// dotenvLayer reads a .env file.
func dotenvLayer(path string, s schema, p *problems) *layer {
	l := newLayer()
	l.legacyOrigin = func(a assignment) origin {
		return origin{layer: ".env", label: ".env " + a.name, at: path + ":" + strconv.Itoa(a.line) + ": " + a.name}
	}
	parser := &dotenvParser{path: path, schema: s, problems: p, layer: l}
	if err := l.values.Load(file.Provider(path), parser); err != nil {
		p.add("", path, whyUnread(err))
	}
	return l
}

// environmentLayer takes what the environment says.
func environmentLayer(src sources, s schema, p *problems) *layer {
	l := newLayer()
	l.legacyOrigin = func(a assignment) origin {
		return origin{layer: "environment", label: "env " + a.name, at: a.name}
	}
	for _, name := range legacyNames {
		if value := src.lookup(name); value != "" {
			l.legacy[name] = assignment{name: name, value: value}
		}
	}
	transform := func(name, value string) (string, any) {
		key := s.variableKey(name, "", p)
		if key != "" {
			l.origin[key] = origin{layer: "environment", label: "env " + name, at: name}
		}
		return key, value
	}
	environ := func() []string { return src.environ }
	// The provider reads what it is given and cannot fail.
	_ = l.values.Load(env.Provider(".", env.Opt{Prefix: envPrefix, TransformFunc: transform, EnvironFunc: environ}), nil)
	return l
}

// variableKey gives the key that an ORDERQ_ name stands for, or nothing for
// those that are no keys and, with a problem, for the unknown.
func (s schema) variableKey(name, at string, p *problems) string {
	if name == envConfig || strings.HasPrefix(name, envTest) {
		return ""
	}
	key, known := s.variable[name]
	if !known {
		p.add(at, name, s.unknownVariable(name))
	}
	return key
}

// flagLayer takes --set, then --queue.
func flagLayer(src sources, s schema, p *problems) *layer {
	l := newLayer()
	flat := map[string]any{}
	for _, assigned := range src.set {
		// Without a value it is a usage error, found before this.
		key, value, _ := strings.Cut(assigned, "=")
		if key = strings.TrimSpace(key); !s.keys[key] {
			p.add("--set", key, s.unknownKey(key))
			continue
		}
		flat[key] = value
		l.origin[key] = origin{layer: "flags", label: "flag --set", at: "--set"}
	}
	if src.queue != "" {
		flat["queue.name"] = src.queue
		l.origin["queue.name"] = origin{layer: "flags", label: "flag --queue", at: "--queue"}
	}
	_ = l.values.Load(confmap.Provider(flat, "."), nil)
	return l
}
