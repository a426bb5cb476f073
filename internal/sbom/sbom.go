package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// document is the part of CycloneDX that we fill in; encoding/json keeps the
// order of the fields, and so the same program gives the same bytes.
type document struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Licences   []licensed `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type licensed struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// of gives the document for a program; at is the document's time. The version must
// be told: a program that was built with -trimpath does not say what the linker
// put into main.version.
func of(program, version, licences string, at time.Time) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read build information: %w", err)
	}
	return from(info, version, licences, at)
}

func from(info *debug.BuildInfo, version, licences string, at time.Time) ([]byte, error) {
	doc := document{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
		Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata:   metadata{Timestamp: at.UTC().Format(time.RFC3339), Component: application(info, version)},
		Components: libraries(info, licences),
	}
	doc.Dependencies = []dependency{{Ref: doc.Metadata.Component.Ref}}
	for _, c := range doc.Components {
		doc.Dependencies[0].DependsOn = append(doc.Dependencies[0].DependsOn, c.Ref)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	doc.Serial = serial(text)
	text, err = json.MarshalIndent(doc, "", "  ")
	return append(text, '\n'), err
}

// application is the program itself, with how it was built.
func application(info *debug.BuildInfo, version string) component {
	c := library(info.Main.Path, version)
	c.Type = "application"
	for _, s := range info.Settings {
		if slices.Contains([]string{"GOOS", "GOARCH", "CGO_ENABLED", "vcs.revision", "vcs.modified"}, s.Key) {
			c.Properties = append(c.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	return c
}

// libraries are the modules that are linked in, and Go's own library.
func libraries(info *debug.BuildInfo, licences string) []component {
	std := library("std", strings.TrimPrefix(info.GoVersion, "go"))
	std.under(licence(filepath.Join(licences, "go")))
	all := []component{std}
	for _, m := range info.Deps {
		id := licence(filepath.Join(licences, m.Path))
		if m.Replace != nil {
			m = m.Replace
		}
		c := library(m.Path, m.Version)
		c.under(id)
		if m.Sum != "" {
			c.Properties = []property{{"go:sum", m.Sum}}
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	return all
}

func library(path, version string) component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: "library", Ref: purl, Name: path, Version: version, PURL: purl}
}

// under says which licence it has, if that is known.
func (c *component) under(id string) {
	if id != "" {
		c.Licences = make([]licensed, 1)
		c.Licences[0].License.ID = id
	}
}

// serial makes the document's number from its content, as a UUID of version 8.
func serial(text []byte) string {
	sum := sha256.Sum256(text)
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
