package producer_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

const (
	array = "application/json"
	lines = "application/x-ndjson"
)

func (s *shop) batch(form, body string) reply {
	s.t.Helper()
	return s.send(http.MethodPost, "/v1/orders:batch", strings.NewReader(body), "Content-Type", form)
}

// verdicts gives the answer to a batch in short: its counts, then for each order
// its id, status, and what it is.
func verdicts(t *testing.T, r reply) []string {
	t.Helper()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("got %d: %s", r.StatusCode, r.body)
	}
	got := r.object(t)
	all := []string{fmt.Sprint(got["accepted"], " ", got["duplicates"], " ", got["rejected"], " ", got["durability"])}
	for _, v := range got["results"].([]any) {
		result := v.(map[string]any)
		what := fmt.Sprint("duplicate=", result["duplicate"])
		if p, ok := result["problem"].(map[string]any); ok {
			what = strings.TrimPrefix(p["type"].(string), "urn:orderq:problem:")
		}
		all = append(all, fmt.Sprint(result["order_id"], " ", result["status"], " ", what))
	}
	return all
}

func TestBatch(t *testing.T) {
	for _, tt := range []struct {
		name, form, body string
		want             []string
	}{
		{"an array", array, ` [ {"order_id":"A-1"} ,{"order_id":"A-2"}] `, []string{
			"2 0 0 memory", "A-1 202 duplicate=false", "A-2 202 duplicate=false",
		}},
		{"lines", lines, "{\"order_id\":\"A-1\"}\r\n\n  \n{\"order_id\":\"A-2\"}", []string{
			"2 0 0 memory", "A-1 202 duplicate=false", "A-2 202 duplicate=false",
		}},
		{"the same twice, and another of its id", lines, "{\"order_id\":\"A-1\"}\n{\"order_id\":\"A-1\"}\n{\"order_id\":\"A-1\" }\n", []string{
			"1 1 1 memory", "A-1 202 duplicate=false", "A-1 202 duplicate=true", "A-1 409 conflict",
		}},
		{"bad ones between good ones", array, `[{"order_id":"A-1"},7,{},{"order_id":"!"},{"order_id":"A-2","amount":-1,"currency":"EUR"},{"order_id":"A-3"}]`, []string{
			"2 0 4 memory", "A-1 202 duplicate=false", "<nil> 400 malformed", "<nil> 422 invalid-order", "<nil> 422 invalid-order",
			"A-2 422 invalid-order", "A-3 202 duplicate=false",
		}},
		{"broken lines", lines, "{\"order_id\":\"A-1\"\n{\"order_id\":\"\xff\"}\n[{}]\n{\"order_id\":\"A-2\"}{}\n{\"order_id\":\"A-3\"}", []string{
			"1 0 4 memory", "<nil> 400 malformed", "<nil> 400 malformed", "<nil> 400 malformed", "<nil> 400 malformed", "A-3 202 duplicate=false",
		}},
		{"one too large", lines, `{"order_id":"A-1","x":"` + strings.Repeat("x", 64<<10) + "\"}\n{\"order_id\":\"A-2\"}", []string{
			"1 0 1 memory", "<nil> 413 too-large", "A-2 202 duplicate=false",
		}},
		{"a line of what is no space in JSON", lines, "\u00a0\n{\"order_id\":\"A-1\"}\n", []string{
			"1 0 1 memory", "<nil> 400 malformed", "A-1 202 duplicate=false",
		}},
		{"no orders", array, `[]`, []string{"0 0 0 <nil>"}},
		{"no lines", lines, ``, []string{"0 0 0 <nil>"}},
		{"as deep as an order may be", array, `[{"order_id":"A-1","x":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}]`, []string{
			"1 0 0 memory", "A-1 202 duplicate=false",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := usual(t)
			if diff := cmp.Diff(tt.want, verdicts(t, s.batch(tt.form, tt.body))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// What cannot be taken apart is refused as a whole, and nothing of it is kept.
func TestBatchRefused(t *testing.T) {
	many := strings.Repeat("{}\n", 1001)
	for _, tt := range []struct {
		name, form, body string
		status           int
		kind             string
	}{
		{"no array", array, `{"order_id":"A-1"}`, 400, "malformed"},
		{"nothing", array, ` `, 400, "malformed"},
		{"cut", array, `[{"order_id":"A-1"},`, 400, "malformed"},
		{"more behind it", array, `[{"order_id":"A-1"}]]`, 400, "malformed"},
		{"a key twice", array, `[{"order_id":"A-1"},{"a":1,"a":2}]`, 400, "malformed"},
		{"broken UTF-8", array, "[{\"order_id\":\"A-1\"},\"\xff\"]", 400, "malformed"},
		{"too deep", array, `[{"order_id":"A-1"},` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + `]`, 400, "malformed"},
		{"an array of too many", array, `[{"order_id":"A-1"}` + strings.Repeat(`,{}`, 1000) + `]`, 413, "too-many"},
		{"too many lines", lines, many, 413, "too-many"},
		{"too large", lines, strings.Repeat(" ", 16<<20+1), 413, "too-large"},
		{"text", "text/plain", `[]`, 415, "media-type"},
		{"another charset", "application/x-ndjson; charset=big5", `[]`, 415, "media-type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := usual(t)
			r := s.batch(tt.form, tt.body)
			if p := r.object(t); r.StatusCode != tt.status || p["type"] != "urn:orderq:problem:"+tt.kind {
				t.Errorf("got %d %s", r.StatusCode, r.body)
			}
			if snapshot, err := s.queue.Inspect(t.Context()); err != nil || snapshot.Length != 0 {
				t.Errorf("%d of it are in the queue (%v)", snapshot.Length, err)
			}
		})
	}
}

// The header is no id for an order of a batch, and none is told that it could be.
func TestBatchTakesNoIDFromTheHeader(t *testing.T) {
	s := usual(t)
	r := s.send(http.MethodPost, "/v1/orders:batch", strings.NewReader("[{}]"), "Content-Type", array, "Idempotency-Key", "A-1")
	if got := verdicts(t, r); got[1] != "<nil> 422 invalid-order" || strings.Contains(string(r.body), "Idempotency-Key") {
		t.Errorf("got %s", r.body)
	}
	if r := s.post("{}"); !strings.Contains(string(r.body), "here or in the header Idempotency-Key") {
		t.Errorf("an order by itself: got %s", r.body)
	}
}

// The orders of a batch stand in the queue as in the request, each with its exact
// bytes, whatever the chunks.
func TestBatchOrderAndBytes(t *testing.T) {
	s := usual(t)
	var body strings.Builder
	var want []string
	for i := range 1000 {
		order := fmt.Sprintf(`{ "order_id" : "A-%d"%s}`, i, strings.Repeat(" ", i%5))
		body.WriteString(order + "\n")
		want = append(want, order)
	}
	verdicts(t, s.batch(lines, body.String()))
	got, err := redistest.Shared(t).Do("XRANGE", "orderq:{"+s.queue.Name()+"}:stream", "-", "+")
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, e := range got.([]any) {
		bodies = append(bodies, e.([]any)[1].([]any)[3].(string))
	}
	if diff := cmp.Diff(want, bodies); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What is refused must not cost more than what is taken: neither in the answer nor
// in memory.
func TestBatchOfFaults(t *testing.T) {
	s := usual(t)
	order := `{"items":[` + strings.TrimSuffix(strings.Repeat("{},", 100), ",") + `]}`
	r := s.batch(lines, strings.Repeat(order+"\n", 1000))
	if got := verdicts(t, r); got[0] != "0 0 1000 <nil>" || len(r.body) > 2<<20 {
		t.Errorf("got %s and an answer of %d bytes", got[0], len(r.body))
	}
	before := allocated()
	if r := s.batch(array, "["+strings.Repeat("0,", 2<<20)+"0]"); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d", r.StatusCode)
	}
	if n := allocated() - before; n > 128<<20 {
		t.Errorf("%d MiB were allocated to refuse 4", n>>20)
	}
	one := s.post(`{"order_id":"A-1","items":[` + strings.TrimSuffix(strings.Repeat("{},", 500), ",") + `]}`)
	if errors, _ := one.object(t)["errors"].([]any); len(errors) != 100 {
		t.Errorf("%d wrong fields are listed, want 100", len(errors))
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestBatchIntoAFullQueue(t *testing.T) {
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{MaxBacklog: 1}, producer.Config{})
	got := verdicts(t, s.batch(array, `[{"order_id":"A-1"},{"order_id":"A-2"},{}]`))
	want := []string{"1 0 2 memory", "A-1 202 duplicate=false", "A-2 503 full", "<nil> 422 invalid-order"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// Nothing could be taken: there is one thing to do, for the request as a whole.
	s.mustRefuse("a batch", func() reply { return s.batch(array, `[{"order_id":"A-2"},{},{"order_id":"A-3"}]`) })
}

func TestBatchWithoutRedis(t *testing.T) {
	redis := redistest.Start(t)
	s := open(t, redis.Addr(), streamutil.QueueConfig{}, producer.Config{})
	s.mustPost(order)
	redis.Kill()
	s.mustRefuse("a batch", func() reply { return s.batch(array, `[`+order+`,{"order_id":"A-2"}]`) })
	redis.Restart()
	if got := verdicts(t, s.batch(array, `[`+order+`]`)); got[0] != "1 0 0 memory" { // it had no file
		t.Errorf("after the restart: %v", got)
	}
}

func TestBatchesAtOnce(t *testing.T) {
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{MaxBatches: 1})
	body, end := slowBody(t, s, "/v1/orders:batch", lines)
	s.mustRefuse("one more batch", func() reply { return s.batch(lines, order) })
	s.mustPost(`{"order_id":"single"}`) // others are not in the way
	body(order)
	if r := end(); r.StatusCode != http.StatusOK {
		t.Errorf("the slow one: got %d %s", r.StatusCode, r.body)
	}
}

func TestBatchMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{Name: "batches"}, producer.Config{Registerer: reg})
	s.batch(array, `[{"order_id":"A-1"},{"order_id":"A-1"},{},7]`)
	s.batch(array, `[`)
	want := `
		# HELP orderq_enqueue_duplicates_total Orders offered again and recognised; answered with the first result. More of them: clients repeat, as after time-outs.
		# TYPE orderq_enqueue_duplicates_total counter
		orderq_enqueue_duplicates_total{queue="batches"} 1
		# HELP orderq_enqueue_orders_total Orders offered, before any check. Its rate is what the shop wants of us; none in shop hours means that no order reaches us.
		# TYPE orderq_enqueue_orders_total counter
		orderq_enqueue_orders_total{queue="batches",source="batch"} 5
		orderq_enqueue_orders_total{queue="batches",source="http"} 0
	`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "orderq_enqueue_orders_total", "orderq_enqueue_duplicates_total"); err != nil {
		t.Error(err)
	}
}
