package producer_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) {
	code := redistest.Run(m)
	if err := allSeen(); code == 0 && err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}

// connections is how many a test's client has at most; what is more waits.
const connections = 128

// shop is a producer on a real server and what a test wants to know of it.
type shop struct {
	t       testing.TB
	url     string
	client  *http.Client
	handler *producer.Handler
	queue   *streamutil.Queue
}

// open starts a producer of a queue of its own on the Redis at addr.
func open(t testing.TB, addr string, queue streamutil.QueueConfig, cfg producer.Config) *shop {
	t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{addr}})
	t.Cleanup(client.Close)
	return openOn(t, client, queue, cfg)
}

// openOn is open on a client of the test's own.
func openOn(t testing.TB, client *streamutil.Client, queue streamutil.QueueConfig, cfg producer.Config) *shop {
	t.Helper()
	if queue.Name == "" {
		queue.Name = redistest.QueueName(t)
	}
	q, err := streamutil.NewQueue(client, queue)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, q, cfg)
	s.queue = q
	return s
}

// serve starts a producer of whatever takes orders.
func serve(t testing.TB, q producer.Queue, cfg producer.Config) *shop {
	t.Helper()
	h, err := producer.New(q, cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(witness{t: t, next: h, idField: cfg.IDField, faults: new(atomic.Int32)})
	t.Cleanup(server.Close)
	browser := &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections,
		ExpectContinueTimeout: time.Minute, // 0 would be no waiting
	}}
	t.Cleanup(browser.CloseIdleConnections)
	return &shop{t: t, url: server.URL, client: browser, handler: h}
}

// usual is a producer as most tests need it.
func usual(t testing.TB) *shop {
	t.Helper()
	return open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{})
}

// reply is an answer, read to its end.
type reply struct {
	*http.Response
	body []byte
}

// object reads the answer's JSON.
func (r reply) object(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("answer %d is no JSON object: %v: %s", r.StatusCode, err, r.body)
	}
	return v
}

// send makes one request; header holds names and values in turn.
func (s *shop) send(method, path string, body io.Reader, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return reply{resp, bytes.TrimSpace(got)}
}

func (s *shop) post(body string, header ...string) reply {
	s.t.Helper()
	return s.send(http.MethodPost, "/v1/orders", strings.NewReader(body),
		append([]string{"Content-Type", "application/json"}, header...)...)
}

func (s *shop) get(path string) reply {
	s.t.Helper()
	return s.send(http.MethodGet, path, nil)
}

// mustPost submits an order that must be taken.
func (s *shop) mustPost(body string, header ...string) map[string]any {
	s.t.Helper()
	r := s.post(body, header...)
	if r.StatusCode != http.StatusAccepted {
		s.t.Fatalf("got %d, want 202: %s", r.StatusCode, r.body)
	}
	return r.object(s.t)
}
