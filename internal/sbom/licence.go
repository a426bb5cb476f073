package main

import (
	"os"
	"path/filepath"
	"strings"
)

// marks are words that the text of one licence has and no other.
var marks = []struct{ id, words string }{
	{"Apache-2.0", "apache license version 2.0, january 2004"},
	{"Apache-2.0", "apache license, version 2.0"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"MPL-2.0", "mozilla public license, version 2.0"},
	{"MPL-2.0", "mozilla public license version 2.0"},
}

// licence gives the SPDX id of the licence in a folder, or "" where it is not
// plainly one: a wrong id is worse than none, and the texts are in the package.
func licence(folder string) string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	var text strings.Builder
	for _, e := range entries {
		// A NOTICE speaks of others' licences.
		if e.IsDir() || strings.HasPrefix(strings.ToLower(e.Name()), "notice") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return ""
		}
		text.Write(b)
		text.WriteByte('\n')
	}
	return recognise(text.String())
}

// recognise gives the id of the one licence that a text holds.
func recognise(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	found := map[string]bool{}
	for _, m := range marks {
		if strings.Contains(text, m.words) {
			found[m.id] = true
		}
	}
	if strings.Contains(text, "redistribution and use in source and binary forms") {
		switch {
		case strings.Contains(text, "advertising materials"):
			return ""
		case strings.Contains(text, "neither the name"):
			found["BSD-3-Clause"] = true
		default:
			found["BSD-2-Clause"] = true
		}
	}
	if len(found) != 1 {
		return ""
	}
	for id := range found {
		return id
	}
	return ""
}
