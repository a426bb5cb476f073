package main

import (
	"crypto/tls"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"orderq/producer"
)

// role is what a configuration is loaded for; it decides which required keys
// and which secret files count.
type role string

const (
	roleProducer role = "producer"
	roleConsumer role = "consumer"
	// roleOperator is for the commands that only talk to Redis.
	roleOperator role = "operator"
	// roleAny checks all that is set and requires nothing.
	roleAny role = ""
	// roleNone opens no file that the configuration names.
	roleNone role = "none"
)

// loaded is a configuration that was found to be good, and its story.
type loaded struct {
	Config
	// RedisPassword is from redis.password or its file.
	RedisPassword Secret
	// What follows was read for the role that uses it, and is nil where the
	// configuration names no file.
	apiToken, hmacSecret *watched[Secret]
	tokens               *watched[producer.Tokens]
	certificate          *watched[*tls.Certificate]
	// Notes are for people: what was found and does not count.
	Notes []string

	layers  []string // those that gave at least one value, lowest first
	origins map[string]origin
	failed  map[string]bool // keys whose value could not be read
	problems
}

// load reads all layers and checks the result for a role. Its error lists
// every problem and ends the program with exit 78.
func load(src sources, r role) (*loaded, error) {
	c := &loaded{Config: defaultConfig(), origins: map[string]origin{}, failed: map[string]bool{}}
	s := newSchema(&c.Config)
	file := src.findFile(&c.problems)
	layers := readLayers(src, file, s, &c.problems)
	c.Notes = applyLegacy(layers)
	c.merge(s, layers)
	c.resolvePaths(s)
	c.useCredentials(src.lookup("CREDENTIALS_DIRECTORY"))
	c.useSystemPassword(src, file)
	c.checkValues()
	c.checkRelations()
	c.checkRole(r)
	return c, c.err()
}

func readLayers(src sources, path string, s schema, p *problems) []*layer {
	var layers []*layer
	if path != "" {
		layers = append(layers, fileLayer(path, s, p))
	}
	if dotenv := findDotenv(path); dotenv != "" {
		layers = append(layers, dotenvLayer(dotenv, s, p))
	}
	return append(layers, environmentLayer(src, s, p), flagLayer(src, s, p))
}

// merge lays the layers over each other and reads the result into the fields.
func (c *loaded) merge(s schema, layers []*layer) {
	all := newLayer()
	for _, l := range layers {
		// Merging plain maps cannot fail without koanf's strict mode.
		_ = all.values.Merge(l.values)
		maps.Copy(c.origins, l.origin)
	}
	c.noteLayers(layers)
	for _, leaf := range s.leaves {
		o, set := c.origins[leaf.key]
		if !set {
			continue
		}
		if err := leaf.set(all.values.Get(leaf.key)); err != nil {
			c.failed[leaf.key] = true
			c.add(o.at, leaf.key, err.Error())
		}
	}
}

// noteLayers keeps, in their order, the layers from which a value came through.
func (c *loaded) noteLayers(layers []*layer) {
	for _, l := range layers {
		for key, o := range l.origin {
			if c.origins[key] == o && !slices.Contains(c.layers, o.layer) {
				c.layers = append(c.layers, o.layer)
			}
		}
	}
}

// resolvePaths makes paths from files relative to these files.
func (c *loaded) resolvePaths(s schema) {
	for _, l := range s.leaves {
		p, ok := reflect.TypeAssert[*Path](l.field.Addr())
		if dir := c.origin(l.key).dir; ok && *p != "" && dir != "" && !filepath.IsAbs(string(*p)) {
			*p = Path(filepath.Join(dir, string(*p)))
		}
	}
}

// origin is where the value of a key came from.
func (c *loaded) origin(key string) origin {
	if o, ok := c.origins[key]; ok {
		return o
	}
	return defaultOrigin
}

// problemf notes what is wrong with a key's value, beginning with its origin.
func (c *loaded) problemf(key, format string, args ...any) {
	if !c.failed[key] {
		c.addf(c.origin(key).at, key, format, args...)
	}
}

// summary says in one line where the values came from.
func (c *loaded) summary(total int) string {
	count := map[string]int{}
	for _, o := range c.origins {
		count[o.layer]++
	}
	var parts []string
	set := 0
	for _, name := range c.layers {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, count[name]))
		set += count[name]
	}
	return strings.Join(append(parts, fmt.Sprintf("default (%d)", total-set)), ", ")
}
