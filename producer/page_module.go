package producer

import (
	_ "embed"
	"regexp"
	"strings"
)

//go:embed web/orderModule.js
var moduleSource string

//go:embed web/orderModule.d.ts
var moduleTypes []byte

const typeScript = "text/javascript; charset=utf-8"

var (
	comments = regexp.MustCompile(`(?m)^\s*(//.*|/\*\*.*\*/)\n|\s+// .*$`)
	margins  = regexp.MustCompile(`(?m)^\s+`)
	exports  = regexp.MustCompile(`(?m)^export (default .*\n)?`)
)

// moduleScript is the browser module as it is sent: comments and indentation,
// which are for those who read the source, would be a quarter of it.
func moduleScript() []byte {
	return []byte(margins.ReplaceAllString(comments.ReplaceAllString(moduleSource, ""), ""))
}

// classicScript is the same for <script src> without type="module": nothing is
// exported, nothing but OrderProcessor becomes a name of the page, and the
// script asks the document where it came from.
func classicScript() []byte {
	body := exports.ReplaceAllString(string(moduleScript()), "")
	body = strings.ReplaceAll(body, "import.meta.url", "document.currentScript.src")
	return []byte("(() => {\n'use strict';\n" + body + "})();\n")
}
