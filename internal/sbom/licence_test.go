package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRecognise(t *testing.T) {
	const (
		mit = "Permission is hereby granted, free of charge, to any person\n  obtaining a copy of this software"
		bsd = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted"
	)
	for _, c := range []struct{ name, text, want string }{
		{"MIT", mit, "MIT"},
		{"Apache", "\t\tApache License\n\t   Version 2.0, January 2004\n", "Apache-2.0"},
		{"Mozilla", "Mozilla Public License, version 2.0", "MPL-2.0"},
		{"BSD with two clauses", bsd, "BSD-2-Clause"},
		{"BSD with three", bsd + "\n* Neither the name of Google Inc. nor", "BSD-3-Clause"},
		{"BSD with four", bsd + "\nAll advertising materials must. Neither the name of", ""},
		{"two licences", mit + "\nLicensed under the Apache License, Version 2.0", ""},
		{"something else", "Do as you like.", ""},
	} {
		if got := recognise(c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLicenceOfAFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"LICENSE.txt": "Mozilla Public License, version 2.0",
		"NOTICE":      "parts are under the Apache License, Version 2.0",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := licence(dir); got != "MPL-2.0" {
		t.Errorf("got %q, want that of the licence, not of the notice", got)
	}
	if got := licence(filepath.Join(dir, "none")); got != "" {
		t.Errorf("no folder: got %q", got)
	}
}
