package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// front is a producer on a real Redis, with somebody in between who may meddle.
type front struct {
	t        *testing.T
	url      string
	queue    *streamutil.Queue
	requests atomic.Int64
	// meddle sees request n, counted from 1, and what would answer it.
	meddle func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler)
}

func newFront(t *testing.T, cfg producer.Config) *front {
	t.Helper()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redistest.Shared(t).Addr()}})
	t.Cleanup(client.Close)
	q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: redistest.QueueName(t), MaxInFlight: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	h, err := producer.New(q, cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{t: t, queue: q, meddle: func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.meddle(f.requests.Add(1), w, r, h)
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// accepted gives the bodies of the orders in the queue, in their order.
func (f *front) accepted() []string {
	f.t.Helper()
	ctx := f.t.Context()
	slot, err := f.queue.Register(ctx, streamutil.Identity{Name: "w", Host: "shop-1", Pace: streamutil.Unlimited, Lease: time.Hour})
	if err != nil {
		f.t.Fatal(err)
	}
	var bodies []string
	var holding []streamutil.EntryID
	for k := int64(1); ; k++ {
		taken, err := f.queue.Take(ctx, streamutil.Take{Consumer: "w", K: k, N: 100, Holding: holding, Epoch: slot.Epoch, Slot: slot.Number})
		if err != nil {
			f.t.Fatal(err)
		}
		if len(taken.Orders) == 0 {
			return bodies
		}
		for _, o := range taken.Orders {
			bodies, holding = append(bodies, string(o.Body)), append(holding, o.Entry)
		}
		slot = taken.Slot
	}
}

// enqueueIn runs orderq enqueue with an input, and gives what it printed.
func enqueueIn(ctx context.Context, input io.Reader, args ...string) (stdout, stderr string, err error) {
	root := &cobra.Command{Use: "orderq", SilenceErrors: true, SilenceUsage: true}
	f := root.PersistentFlags()
	f.StringP("output", "o", "jsonl", "")
	f.Int("limit", 50, "")
	f.Bool("dry-run", false, "")
	root.AddCommand(newEnqueueCommand())
	var out, errs bytes.Buffer
	root.SetIn(input)
	root.SetOut(&out)
	root.SetErr(&errs)
	root.SetArgs(append([]string{"enqueue"}, args...))
	err = root.ExecuteContext(ctx)
	return out.String(), errs.String(), err
}

// counts is what a summary counts: read, accepted, duplicates, rejected.
type counts [4]int

func (f *front) enqueue(input string, args ...string) (c counts, stderr string, err error) {
	f.t.Helper()
	out, stderr, err := enqueueIn(f.t.Context(), strings.NewReader(input), append(args, "--url", f.url)...)
	return countsOf(f.t, out), stderr, err
}

func countsOf(t *testing.T, out string) counts {
	t.Helper()
	var s summary
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("stdout is no summary: %v: %q", err, out)
	}
	return counts{s.Read, s.Accepted, s.Duplicates, s.Rejected}
}

// many gives orders A-1 to A-n.
func many(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"order_id": "A-%d"}`, i+1)
	}
	return list
}

func TestEnqueueKeepsOrderAndBytes(t *testing.T) {
	one, two, tall := `{"order_id":"A-1", "n" : 1.50}`, "{\"order_id\":\"A-2\",\t\"é\":\"\\u00e9\"}", "{\n  \"order_id\": \"A-3\",\r\n  \"n\": 0\n}"
	for _, tt := range []struct {
		name, input string
		want        []string
	}{
		{"lines", one + "\n\n" + two + "\r\n", []string{one, two}},
		{"array", "[ " + one + " ,\n" + two + "\n,\n" + tall + "\n]\n", []string{one, two, tall}},
		{"one object", tall, []string{tall}},
		{"objects", tall + "\n" + one + "\n" + two, []string{tall, one, two}},
		{"array between", "[" + one + "," + tall + "," + two + "]", []string{one, tall, two}},
		{"nothing", "", nil},
		{"an empty array", "[]", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFront(t, producer.Config{})
			for _, want := range []counts{{len(tt.want), len(tt.want)}, {len(tt.want), 0, len(tt.want)}} {
				got, errs, err := f.enqueue(tt.input)
				if err != nil || got != want {
					t.Errorf("got %v, want %v: %v\n%s", got, want, err, errs)
				}
				if !strings.HasPrefix(errs, "enqueue to "+f.url+"\n") {
					t.Errorf("does not say where it sends to: %q", errs)
				}
			}
			if diff := cmp.Diff(tt.want, f.accepted()); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnqueueSendsManyAtOnce(t *testing.T) {
	f := newFront(t, producer.Config{MaxBody: 300 << 10})
	orders := many(1100)
	for i := range 5 {
		orders = append(orders, fmt.Sprintf(`{"order_id":"B-%d","x":"%s"}`, i, strings.Repeat("x", 299<<10)))
	}
	f.meddle = func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		body, _ := io.ReadAll(r.Body)
		if n := bytes.Count(body, []byte("\n")); n > maxChunk || len(body) > maxChunkBytes {
			t.Errorf("%d orders, %d bytes at once", n, len(body))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	}
	if got, errs, err := f.enqueue(strings.Join(orders, "\n")); err != nil || got != (counts{1105, 1105}) {
		t.Fatalf("got %v: %v\n%s", got, err, errs)
	}
	if diff := cmp.Diff(orders, f.accepted()); diff != "" {
		t.Error("the orders are not those of the input, in its order")
	}
	if n := f.requests.Load(); n > 100 { // 5 if nothing is slow
		t.Errorf("%d requests for 1,105 orders", n)
	}
}

func TestEnqueueTellsWhatIsRejectedAndWhere(t *testing.T) {
	f := newFront(t, producer.Config{})
	secret := "4711-4711-4711"
	input := strings.Join([]string{
		`{"order_id":"A-1"}`,
		`{"order_id":"A-7","amount":"-1","currency":"` + secret + `"}`,
		`not JSON ` + secret,
		`{"card":"` + secret + `"}`,
		`[]`,
		`{"order_id":"A-2"`,
		`{"order_id":"A-1","card":"` + secret + `"}`,
		`{"order_id":"big","x":"` + strings.Repeat("x", 70<<10) + `"}`,
		`{"order_id":"huge","x":"` + strings.Repeat("x", maxOrder) + `"}`,
		`{"order_id":"A-3"}`,
	}, "\n")
	file := filepath.Join(t.TempDir(), "orders.ndjson")
	if err := os.WriteFile(file, []byte(input), 0o600); err != nil {
		t.Fatal(err)
	}
	got, errs, err := f.enqueue("", file)
	if want := (counts{10, 2, 0, 8}); got != want || err == nil || err.Error() != "8 of 10 orders rejected" {
		t.Errorf("got %v, want %v: %v", got, want, err)
	}
	lines := strings.Split(strings.TrimSpace(errs), "\n")[1:]
	for i, want := range []string{
		":2 order A-7: 422 #/amount must be 0 or more; #/currency must be ",
		":3 order -: 400 ",
		":4 order -: 422 #/order_id must be present",
		":5 order -: 400 ",
		":6 order -: 400 ",
		":7 order A-1: 409 ",
		":8 order big: 413 ",
		":9 order -: larger than 1 MiB, not sent",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], file+want) {
			t.Errorf("line %d is not FILE%q in:\n%s", i, want, errs)
		}
	}
	if strings.Contains(errs, secret) || strings.Contains(fmt.Sprint(err), secret) {
		t.Errorf("shows what is in an order:\n%s", errs)
	}
	if diff := cmp.Diff([]string{`{"order_id":"A-1"}`, `{"order_id":"A-3"}`}, f.accepted()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	_, errs, _ = f.enqueue("", file, "--limit", "2")
	if strings.Count(errs, "\n") != 4 || !strings.HasSuffix(errs, "and 6 more rejected; --limit shows more\n") {
		t.Errorf("--limit 2:\n%s", errs)
	}
}

func TestEnqueueOfSpreadOrdersTellsWhatIsRejected(t *testing.T) {
	f := newFront(t, producer.Config{})
	got, errs, err := f.enqueue("[{\n\"order_id\":\"A-1\"},\n{\n\"order_id\":\"A-2\",\n\"amount\":{}}, {\n},{\n\"a\":tru}]")
	if want := (counts{4, 1, 0, 3}); got != want || err == nil {
		t.Errorf("got %v, want %v: %v", got, want, err)
	}
	for _, want := range []string{"stdin:3 order A-2: 422 #/amount must be a string or a number", "stdin:5 order -: 422 #/order_id", "stdin:6 order -: 400 Not a JSON order: at byte"} {
		if !strings.Contains(errs, want) {
			t.Errorf("does not say %q:\n%s", want, errs)
		}
	}
}

func TestEnqueueOfABrokenArraySubmitsWhatCameBefore(t *testing.T) {
	f := newFront(t, producer.Config{})
	got, _, err := f.enqueue("[{\"order_id\":\"A-1\"},\n{\"order_id\":]")
	if got != (counts{1, 1}) || err == nil || err.Error() != "stdin:2:13: not JSON from here on; what came before it was submitted" {
		t.Errorf("got %v: %v", got, err)
	}
}

func TestEnqueueDryRunSendsNothing(t *testing.T) {
	f := newFront(t, producer.Config{})
	input := strings.Join(many(3), "\n") + "\n{\"order_id\":7}\n{\"a\":\n" + `{"number":"B-1"}`
	got, errs, err := f.enqueue(input, "--dry-run")
	if got != (counts{6, 0, 0, 3}) || err == nil || f.requests.Load() > 0 {
		t.Errorf("got %v after %d requests: %v", got, f.requests.Load(), err)
	}
	for _, want := range []string{"dry run: nothing is sent\n", `stdin:4 order -: want an object with the key "order_id"`, "stdin:5 order -: not JSON\n"} {
		if !strings.Contains(errs, want) {
			t.Errorf("does not say %q:\n%s", want, errs)
		}
	}
	if got, errs, err := f.enqueue(`{"number":"B-1"}`, "--dry-run", "--id-field", "number"); err != nil || got != (counts{1}) {
		t.Errorf("another key: %v, %v\n%s", got, err, errs)
	}
	if _, _, err := f.enqueue("[{},", "--dry-run"); err == nil || !strings.Contains(err.Error(), "stdin:1:5: the input ends within the array") {
		t.Errorf("a broken array: %v", err)
	}
}

// What was accepted before and ended without a delivery is not in the queue, and
// submitting it again does not bring it there.
func TestEnqueueOfWhatWasCancelled(t *testing.T) {
	f := newFront(t, producer.Config{})
	const input = "{\"order_id\":\"A-1\"}\n{\"order_id\":\"A-2\"}\n"
	if _, _, err := f.enqueue(input); err != nil {
		t.Fatal(err)
	}
	if _, err := f.queue.Cancel(t.Context(), "A-2", streamutil.Act{}); err != nil {
		t.Fatal(err)
	}
	c, errs, err := f.enqueue(input)
	if err == nil || !strings.Contains(errs, "stdin:2 order A-2: was accepted before and is cancelled") || c != (counts{2, 0, 2}) {
		t.Errorf("got %v, %v\n%s", c, err, errs)
	}
}
