package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"orderq/internal/redistest"
)

// canary is in everything that is nobody's business: in what customers wrote,
// and in every secret.
const (
	canary     = "c4n4ry"
	signingKey = "whsec_" + canary + "HMACsecret" + canary + "HMACsecre=\n"
)

var canaryForm = regexp.MustCompile(`(?i).{0,80}` + canary + `.{0,40}`)

// canaryRig is the whole system in processes of their own, and all that it says.
type canaryRig struct {
	t        *testing.T
	redis    *redistest.Server
	dir      string
	orders   string // URL of the producer
	producer *program
	consumer *program
	logFile  string // the consumer's

	mu      sync.Mutex
	token   string                 // what the partner takes
	called  map[string]http.Header // the last call of each order
	outputs map[string]string      // what was said where; none may have a canary
	asked   int
}

func newCanaryRig(t *testing.T) *canaryRig {
	t.Helper()
	r := &canaryRig{
		t: t, redis: redistest.Start(t, "--appendonly", "yes"), dir: t.TempDir(), token: canary + "-api-token",
		called: map[string]http.Header{}, outputs: map[string]string{},
	}
	r.logFile = filepath.Join(r.dir, "consumer.log")
	r.redis.CLI("CONFIG", "SET", "requirepass", canary+"-redis-password")
	partner := httptest.NewServer(http.HandlerFunc(r.answer))
	t.Cleanup(partner.Close)
	r.file("redis", canary+"-redis-password\n")
	r.file("api", r.token+"\n")
	r.file("hmac", signingKey)
	r.file("tokens", "shop submit "+canary+"-shop-token\nview read "+canary+"-view-token\ndesk read,cancel "+canary+"-desk-token\n")
	r.file("orderq.yaml", fmt.Sprintf(`
redis: {addresses: [%q], password_file: %s}
producer: {tokens_file: %s}
consumer:
  pace: unlimited
  api: {url: "%s/orders?key=%[5]s-url", timeout: 2s, token_file: %[6]s, hmac_secret_file: %[7]s, headers: {X-Key: %[5]s-header}}
log: {level: debug, format: json}
`, r.redis.Addr(), r.path("redis"), r.path("tokens"), partner.URL, canary, r.path("api"), r.path("hmac")))
	return r
}

func (r *canaryRig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *canaryRig) file(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(r.path(name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// answer is a partner that repeats what it was sent, whatever it makes of it:
// the first part of an order's id says what that is.
func (r *canaryRig) answer(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	id := req.Header.Get("X-Order-Id")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.called[id] = req.Header.Clone()
	kind, _, _ := strings.Cut(id, "-")
	switch {
	case req.Header.Get("Authorization") != "Bearer "+r.token:
		w.WriteHeader(http.StatusUnauthorized)
	case kind == "bad":
		w.WriteHeader(http.StatusUnprocessableEntity)
	case kind == "fail":
		w.WriteHeader(http.StatusInternalServerError)
	case kind == "garbled":
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			fmt.Fprintf(conn, "%s\r\n%s: %[1]s\r\n\r\n", body, canary)
			_ = conn.Close()
		}
		return
	}
	_, _ = w.Write(body)
}

// call gives the last call of an order, once there was one.
func (r *canaryRig) call(id string) http.Header {
	r.t.Helper()
	var header http.Header
	redistest.Eventually(r.t, "a call of "+id, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		header = r.called[id]
		return header != nil
	})
	return header
}

// customer is an order with something in every field that is a customer's own.
func customer(id string) string {
	return fmt.Sprintf(`{"order_id":%q,"name":"%[2]s Wang","email":"%[2]s@example.com","note":"ring twice, %[2]s","%[2]s":1}`, id, canary)
}

// ask sends a request to the producer and gives what it answered, headers too.
func (r *canaryRig) ask(want int, method, path, token, body string, header ...string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.orders+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+canary+"-"+token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	if err := resp.Write(&out); err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != want {
		r.t.Fatalf("%s %s = %d, want %d:\n%s", method, path, resp.StatusCode, want, out.String())
	}
	r.asked++
	if token != "desk-token" { // who may see the partner's answer
		r.outputs[fmt.Sprintf("answer %d to %s %.60s", r.asked, method, path)] = out.String()
	}
	return out.String()
}

// orderq runs a command and gives what it said. That is looked through later,
// unless the command is one that may show canaries.
func (r *canaryRig) orderq(mayShow bool, want int, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(filepath.Join(programDir, "orderq"), append(args, "--config", r.path("orderq.yaml"))...)
	cmd.Dir, cmd.Env = r.dir, []string{"PATH=" + os.Getenv("PATH")}
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != want {
		r.t.Errorf("orderq %s ended with %d, want %d:\n%s", strings.Join(args, " "), got, want, out)
	}
	if !mayShow {
		r.asked++
		r.outputs[fmt.Sprintf("command %d: orderq %s", r.asked, strings.Join(args, " "))] = string(out)
	}
	return string(out)
}

// search looks for canaries in everything that was said.
func (r *canaryRig) search() {
	r.t.Helper()
	for where, text := range r.outputs {
		if text == "" {
			r.t.Errorf("%s: nothing to look through", where)
		}
		for _, found := range canaryForm.FindAllString(text, 3) {
			r.t.Errorf("%s shows a canary: %q", where, found)
		}
	}
}
