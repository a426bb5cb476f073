package producer

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/zap"

	"orderq/metrics"
)

// Every tag that can fail must have its code and words, or a client would read
// nonsense.
func TestEveryRuleHasWords(t *testing.T) {
	silent := map[string]bool{"omitnil": true, "dive": true, "min": true, "max": true}
	for _, typ := range []reflect.Type{reflect.TypeFor[document](), reflect.TypeFor[item]()} {
		for field := range typ.Fields() {
			for tag := range strings.SplitSeq(field.Tag.Get("validate"), ",") {
				name, _, _ := strings.Cut(tag, "=")
				if _, known := rules[name]; !known && !silent[name] {
					t.Errorf("%s.%s: no words for %s", typ.Name(), field.Name, name)
				}
			}
		}
	}
}

func TestPointer(t *testing.T) {
	for want, path := range map[string][]string{
		"#/items/0/sku":    {"items", "0", "sku"},
		"#/a~1b~0c%25%20d": {"a/b~c% d"},
	} {
		if got := pointer(path...); got != want {
			t.Errorf("%v: got %s, want %s", path, got, want)
		}
	}
}

func TestPanicIsOneProblem(t *testing.T) {
	mux := http.NewServeMux()
	h := &Handler{mux: mux, entry: mux, log: zap.NewNop(), metrics: metrics.NewProducer(nil, "orders")}
	h.route("/panic", methods{http.MethodGet: func(http.ResponseWriter, *http.Request) *problem { panic("secret") }})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/panic", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
