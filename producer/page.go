package producer

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
)

var (
	//go:embed web/index.html
	pageHTML string
	//go:embed web/page.css
	pageStyle string
	//go:embed web/page.language.js
	pageLanguage string
	//go:embed web/page.form.js
	pageForm string
	//go:embed web/page.orders.js
	pageOrders string
	//go:embed web/page.js
	pageBegin string
	//go:embed web/page.texts.json
	pageTexts string
)

// pageScript is one module in four files: the page loads in one request.
var pageScript = pageLanguage + pageForm + pageOrders + pageBegin

// webRoutes serves the browser module, and the order page if it is wanted: a page
// for everybody would invite those who have no token.
func (h *Handler) webRoutes() {
	files := map[string]endpoint{
		"/orderModule.js":         static(typeScript, moduleScript()),
		"/orderModule.classic.js": static(typeScript, classicScript()),
		"/orderModule.d.ts":       static("text/plain; charset=utf-8", moduleTypes),
	}
	if h.cfg.Tokens == nil || h.cfg.Page {
		files["/"] = page()
	}
	for path, file := range files {
		h.route(path, methods{http.MethodGet: file})
	}
}

// page is the order page: one document, with all that it needs but the module.
func page() endpoint {
	document, policy := assemble()
	return static("text/html; charset=utf-8", []byte(document),
		"Content-Security-Policy", policy,
		"Referrer-Policy", "no-referrer",
		"Cross-Origin-Opener-Policy", "same-origin")
}

// assemble puts the page's parts into one document and says which of them a
// browser may use: these very texts, and nothing that anybody slips in.
func assemble() (document, policy string) {
	document = strings.NewReplacer(
		`<link rel="stylesheet" href="page.css">`, "<style>"+pageStyle+"</style>",
		`<script type="application/json" id="texts" src="page.texts.json"></script>`,
		`<script type="application/json" id="texts">`+pageTexts+"</script>",
		`<script type="module" src="page.js"></script>`, `<script type="module">`+pageScript+"</script>",
	).Replace(pageHTML)
	return document, strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' " + fingerprint(pageScript),
		"style-src " + fingerprint(pageStyle),
		"img-src data:",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
	}, "; ")
}

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
