package producer_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// maxFaults is how many broken exchanges a test tells of.
const maxFaults = 5

// witness holds every request that a handler gets, and its answer, against the
// contract.
type witness struct {
	t       testing.TB
	next    http.Handler
	idField string
	faults  *atomic.Int32
}

func (h witness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := theContract()
	if err != nil {
		h.t.Errorf("load the contract: %v", err)
		return
	}
	var sent bytes.Buffer
	watched := r.WithContext(r.Context()) // net/http looks at what became of its own
	watched.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(r.Body, &sent), r.Body}
	answer := &recorder{ResponseWriter: w}
	h.next.ServeHTTP(answer, watched)
	err = c.check(exchange{
		request: r, sent: sent.Bytes(), status: answer.status, header: answer.header,
		answer: answer.body.Bytes(), idField: h.idField,
	})
	if err != nil && h.faults.Add(1) <= maxFaults {
		h.t.Errorf("%s %s, answered %d, is not as openapi.yaml describes it: %.2000s\nanswer: %.1000s\nrequest: %.1000s",
			r.Method, r.URL.Path, answer.status, err, answer.body.Bytes(), sent.Bytes())
	}
}

// recorder keeps what is answered while it passes.
type recorder struct {
	http.ResponseWriter
	status int
	header http.Header
	body   bytes.Buffer
}

// Unwrap lets the handler set its deadlines.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	w.status, w.header = status, w.Header().Clone()
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}

// allSeen says which answers of the contract nobody has seen, if all tests ran.
// Only a 500 is none that a test can bring about.
func allSeen() error {
	for _, name := range []string{"test.run", "test.skip", "test.fuzz", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return nil
		}
	}
	c, err := theContract()
	if err != nil {
		return err
	}
	var missing []string
	for _, path := range c.doc.Paths.Map() {
		for _, op := range path.Operations() {
			for status := range op.Responses.Map() {
				name := op.OperationID + " " + status
				if status != "500" && !c.seen[name] {
					missing = append(missing, name)
				}
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("openapi.yaml describes answers that no test has seen: %s", strings.Join(missing, ", "))
}
