package main

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func example() *debug.BuildInfo {
	return &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Path: "orderq"},
		Deps: []*debug.Module{
			{Path: "example.org/z", Version: "v1.0.0+incompatible", Sum: "h1:z="},
			{Path: "example.org/a", Version: "v1.2.3", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.2.4"}},
		},
		Settings: []debug.BuildSetting{
			{Key: "GOARCH", Value: "arm64"},
		},
	}
}

func TestWhatIsLinkedInIsListed(t *testing.T) {
	text, err := from(example(), "0.3.0+4.g0123abc", "", time.Unix(1795465800, 0))
	if err != nil {
		t.Fatal(err)
	}
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, c := range doc.Components {
		refs = append(refs, c.PURL)
	}
	got := strings.Join(refs, " ")
	want := "pkg:golang/example.org/fork@v1.2.4 pkg:golang/example.org/z@v1.0.0%2Bincompatible pkg:golang/std@1.26.8"
	if got != want {
		t.Errorf("components %s, want %s", got, want)
	}
	if c := doc.Metadata.Component; c.Version != "0.3.0+4.g0123abc" || c.PURL != "pkg:golang/orderq@0.3.0%2B4.g0123abc" || c.Type != "application" {
		t.Errorf("the program is %+v, want the version that was told", c)
	}
	if deps := doc.Dependencies; len(deps) != 1 || strings.Join(deps[0].DependsOn, " ") != want {
		t.Errorf("dependencies %v, want all components", deps)
	}
}

func TestSameProgramSameBytes(t *testing.T) {
	a, errA := from(example(), "1.0.0", "", time.Unix(1, 0))
	b, errB := from(example(), "1.0.0", "", time.Unix(1, 0))
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("two documents of one program differ (%v, %v)", errA, errB)
	}
}

func TestOfThisTest(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := of(program, "1.0.0", "", time.Unix(1, 0)); err != nil || !bytes.Contains(text, []byte(`"specVersion": "1.6"`)) {
		t.Errorf("document of the running test: %v\n%s", err, text)
	}
	if _, err := of("sbom.go", "1.0.0", "", time.Unix(1, 0)); err == nil {
		t.Error("a text file is taken for a program")
	}
}
