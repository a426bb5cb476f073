package producer_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// maxModule is how many bytes of the module go over the wire at most.
const maxModule = 4096

// webFiles are the files for browsers, with what each is sent as.
var webFiles = map[string]string{
	"/":                       "text/html; charset=utf-8",
	"/orderModule.js":         "text/javascript; charset=utf-8",
	"/orderModule.classic.js": "text/javascript; charset=utf-8",
	"/orderModule.d.ts":       "text/plain; charset=utf-8",
}

func TestWebFiles(t *testing.T) {
	s := usual(t)
	for path, media := range webFiles {
		t.Run(path, func(t *testing.T) {
			plain := s.send(http.MethodGet, path, nil, "Accept-Encoding", "gzip;q=0, br")
			small := s.send(http.MethodGet, path, nil, "Accept-Encoding", "br, gzip")
			for _, r := range []reply{plain, small} {
				for name, want := range map[string]string{
					"Content-Type": media, "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache",
				} {
					if got := r.Header.Get(name); got != want {
						t.Errorf("%s: got %q, want %q", name, got, want)
					}
				}
				if vary := strings.Join(r.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Encoding") {
					t.Errorf("Vary: got %q", vary)
				}
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					again := s.send(method, path, nil, "If-None-Match", "W/"+r.Header.Get("ETag"))
					if again.StatusCode != http.StatusNotModified || len(again.body) != 0 {
						t.Errorf("%s of what is known: got %d and %d bytes", method, again.StatusCode, len(again.body))
					}
				}
			}
			if got := plain.Header.Get("Content-Encoding"); got != "" {
				t.Errorf("got the encoding %q, which was not asked for", got)
			}
			if got := unzipped(t, small); got != string(plain.body) {
				t.Errorf("the compressed form has %d bytes, the plain one %d", len(got), len(plain.body))
			}
			if plain.Header.Get("ETag") == small.Header.Get("ETag") {
				t.Error("both forms have one ETag")
			}
		})
	}
}

func unzipped(t *testing.T, r reply) string {
	t.Helper()
	if got := r.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("got the encoding %q, want gzip", got)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(zipped)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(content))
}

func TestModuleIsSmall(t *testing.T) {
	s := usual(t)
	for _, path := range []string{"/orderModule.js", "/orderModule.classic.js"} {
		r := s.send(http.MethodGet, path, nil, "Accept-Encoding", "gzip")
		if len(r.body) > maxModule || r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is sent in %d bytes (%s), want %d at most", path, len(r.body), r.Header.Get("Content-Encoding"), maxModule)
		}
		t.Logf("%s: %d bytes", path, len(r.body))
	}
}

// Neither form may hold what only the other can read.
func TestScriptForms(t *testing.T) {
	s := usual(t)
	module, classic := string(s.get("/orderModule.js").body), string(s.get("/orderModule.classic.js").body)
	if !strings.Contains(module, "import.meta.url") || !strings.Contains(module, "\nexport ") {
		t.Errorf("the module exports nothing: %.200s", module)
	}
	if strings.Contains(classic, "import.meta") || regexp.MustCompile(`(?m)^export`).MatchString(classic) {
		t.Error("the classic script has words of a module")
	}
	if !strings.Contains(classic, "document.currentScript.src") {
		t.Error("the classic script does not know where it came from")
	}
}

// The policy allows the page's own parts, each by its fingerprint, and no others.
func TestPagePolicy(t *testing.T) {
	r := usual(t).get("/")
	policy := r.Header.Get("Content-Security-Policy")
	for _, never := range []string{"unsafe", "http:", "https:", "*"} {
		if strings.Contains(policy, never) {
			t.Errorf("the policy has %q: %s", never, policy)
		}
	}
	parts := regexp.MustCompile(`(?s)<(?:style|script type="module")>(.*?)</(?:style|script)>`).FindAllSubmatch(r.body, -1)
	if len(parts) != 2 {
		t.Fatalf("got %d parts, want a style and a script", len(parts))
	}
	for _, part := range parts {
		sum := sha256.Sum256(part[1])
		if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("the policy does not allow a part of %d bytes: %.80s", len(part[1]), part[1])
		}
	}
	if regexp.MustCompile(`\s(on[a-z]+|style)=`).Match(r.body) {
		t.Error("the page has what its policy forbids")
	}
}

// Where there are tokens, the page is served only if that was asked for; the
// module is always.
func TestPageNeedsNoTokenOrIsAskedFor(t *testing.T) {
	tokens, err := producer.ParseTokens("s submit secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range []bool{false, true} {
		s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{},
			producer.Config{Tokens: func() producer.Tokens { return tokens }, Page: asked})
		want := map[bool]int{false: http.StatusNotFound, true: http.StatusOK}[asked]
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if got := s.send(method, "/", nil).StatusCode; got != want {
				t.Errorf("page %v: %s / got %d, want %d", asked, method, got, want)
			}
		}
		for method, served := range map[string]int{http.MethodOptions: http.StatusNoContent, http.MethodPost: http.StatusMethodNotAllowed} {
			if !asked {
				served = http.StatusNotFound
			}
			if got := s.send(method, "/", nil).StatusCode; got != served {
				t.Errorf("page %v: %s / got %d, want %d", asked, method, got, served)
			}
		}
		if got := s.get("/orderModule.js").StatusCode; got != http.StatusOK {
			t.Errorf("the module got %d", got)
		}
	}
}
