package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// moody stands in for a producer whose answers a test writes down, in a bubble
// of fake time.
type moody struct {
	began time.Time
	say   func(n int, orders []string) (status int, body string, header http.Header, err error)
	// asked has for each request when it came and what it held.
	asked []string
}

// RoundTrip implements [http.RoundTripper].
func (m *moody) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	orders := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	m.asked = append(m.asked, fmt.Sprintf("%s %s", time.Since(m.began).Truncate(time.Second), strings.Join(orders, " ")))
	status, text, header, err := m.say(len(m.asked), orders)
	if err != nil {
		return nil, err
	}
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
}

// taken is the answer of a producer for orders that have these statuses.
func taken(statuses ...int) string {
	var parts []string
	for _, status := range statuses {
		parts = append(parts, fmt.Sprintf(`{"order_id":"A","status":%d,"problem":{"type":"urn:orderq:problem:x","detail":"because"}}`, status))
	}
	return `{"durability":"memory","results":[` + strings.Join(parts, ",") + `]}`
}

// allTaken is the answer of a producer that takes orders of which each is its id.
func allTaken(orders []string) string {
	var parts []string
	for _, order := range orders {
		parts = append(parts, strings.TrimSuffix(order, "}")+`,"status":202}`)
	}
	return `{"durability":"memory","results":[` + strings.Join(parts, ",") + `]}`
}

// ask enqueues an input with fake time, and gives what was said and how it ended.
func (m *moody) ask(ctx context.Context, giveUp time.Duration, input string) (summary, string, error) {
	var out, errs bytes.Buffer
	m.began = time.Now()
	l := &loader{
		view: view{out: &out, errs: &errs, format: "jsonl", limit: 50}, giveUp: giveUp, began: m.began, progress: &progress{},
		to: &submitter{base: "http://shop", shown: "http://shop", http: &http.Client{Transport: m, Timeout: requestTimeout}}, name: "stdin",
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := l.finish(l.load(ctx, read(ctx, newInput(strings.NewReader(input)))))
	return l.sum, errs.String(), err
}

func TestEnqueueTriesAgain(t *testing.T) {
	wait := http.Header{"Retry-After": {"40"}}
	for _, tt := range []struct {
		name   string
		giveUp time.Duration
		say    func(n int, orders []string) (int, string, http.Header, error)
		asked  []string // how each request ends: when it came (where that is sure) and its orders; nil: any
		sum    counts
		err    string
	}{
		{
			"not after a wait longer than it may take", time.Minute,
			func(n int, _ []string) (int, string, http.Header, error) {
				if n < 4 {
					return []int{503, 429, 408}[n-1], "", wait, nil
				}
				return 200, taken(202, 202), nil, nil
			},
			nil,
			counts{2, 0, 0, 0},
			"gave up: http://shop answers 429",
		},
		{
			"after the wait that was asked for", 2 * time.Hour,
			func(n int, _ []string) (int, string, http.Header, error) {
				if n < 4 {
					return []int{503, 429, 408}[n-1], "", wait, nil
				}
				return 200, taken(202, 202), nil, nil
			},
			[]string{"0s 1 2", "40s 1 2", "1m20s 1 2", "2m0s 1 2"},
			counts{2, 2, 0, 0},
			"",
		},
		{
			"only what was not taken", time.Minute,
			func(n int, _ []string) (int, string, http.Header, error) {
				switch n {
				case 1:
					return 200, taken(202, 503, 422, 429, 500), nil, nil
				case 2:
					return 200, taken(503, 202, 503), nil, nil
				}
				return 200, taken(202, 202), nil, nil
			},
			[]string{" 1 2 3 4 5", " 2 4 5", " 2 5"},
			counts{5, 4, 0, 1},
			"1 of 5 orders rejected",
		},
		{
			"when there is no answer", time.Minute,
			func(n int, _ []string) (int, string, http.Header, error) {
				if n == 1 {
					return 0, "", nil, errors.New("connection refused")
				}
				return 200, taken(202), nil, nil
			},
			[]string{" 1", " 1"},
			counts{1, 1, 0, 0},
			"",
		},
		{
			"at most so long", time.Minute,
			func(int, []string) (int, string, http.Header, error) { return 200, taken(503), nil, nil },
			nil,
			counts{1, 0, 0, 0},
			"gave up after 1 min 0 s without progress: http://shop answers 503 for an order: because; run the same",
		},
		{
			"not at all", 0,
			func(int, []string) (int, string, http.Header, error) { return 502, "", nil, nil },
			[]string{"0s 1"},
			counts{1, 0, 0, 0},
			"gave up after 0 ms without progress: http://shop answers 502 Bad Gateway; run the same",
		},
		{
			"but not what would fail again", time.Minute,
			func(int, []string) (int, string, http.Header, error) {
				return 401, `{"type":"urn:orderq:problem:unauthorized","detail":"want a token"}`, nil, nil
			},
			[]string{"0s 1"},
			counts{1, 0, 0, 0},
			"http://shop answers 401 Unauthorized: want a token; name the file with your token: --token-file FILE",
		},
		{
			"but not a redirection", time.Minute,
			func(int, []string) (int, string, http.Header, error) {
				return 307, "", http.Header{"Location": {"http://shop/"}}, nil
			},
			[]string{"0s 1"},
			counts{1, 0, 0, 0},
			"http://shop answers 307 Temporary Redirect and another address",
		},
		{
			"but not what is no producer", time.Minute,
			func(int, []string) (int, string, http.Header, error) { return 200, "<html>", nil, nil },
			[]string{"0s 1"},
			counts{1, 0, 0, 0},
			"http://shop is no producer of orderq",
		},
		{
			"but not a path that is none", time.Minute,
			func(int, []string) (int, string, http.Header, error) { return 404, "", nil, nil },
			[]string{"0s 1"},
			counts{1, 0, 0, 0},
			"http://shop answers 404 Not Found; is it the address of a producer?",
		},
		{
			"but not an endless answer", time.Minute,
			func(int, []string) (int, string, http.Header, error) {
				return 200, strings.Repeat(" ", maxAnswer+1), nil, nil
			},
			[]string{"0s 1"},
			counts{1, 0, 0, 0},
			"larger than any of a producer",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &moody{say: tt.say}
				input := "1\n2\n3\n4\n5\n"[:2*tt.sum[0]]
				sum, said, err := m.ask(t.Context(), tt.giveUp, input)
				if got := (counts{sum.Read, sum.Accepted, sum.Duplicates, sum.Rejected}); got != tt.sum {
					t.Errorf("counts %v, want %v", got, tt.sum)
				}
				if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				// To do the same again helps only where something may have passed.
				if err != nil && strings.Contains(err.Error(), goOn) != strings.HasPrefix(tt.err, "gave up") {
					t.Errorf("error %v", err)
				}
				for i, want := range tt.asked {
					if i >= len(m.asked) || !strings.HasSuffix(m.asked[i], want) {
						t.Errorf("request %d is not %q", i, want)
					}
				}
				if tt.asked != nil && len(m.asked) != len(tt.asked) {
					t.Errorf("%d requests, want %d", len(m.asked), len(tt.asked))
				}
				if t.Failed() {
					t.Logf("asked %q, said:\n%s", m.asked, said)
				}
			})
		})
	}
}

// Only a producer's answer is believed.
func TestEnqueueBelievesNoStranger(t *testing.T) {
	const batch, alone = `{"order_id":"A-1"}`, "{\n\"order_id\":\"A-1\"}"
	result := func(text string) string { return `{"durability":"fsync","results":[` + text + `]}` }
	for _, tt := range []struct {
		name, order string
		status      int
		body        string
		believed    bool
	}{
		{"a receipt", alone, 202, `{"order_id":"A-1","durability":"memory"}`, true},
		{"an empty receipt", alone, 202, `{}`, false},
		{"no durability", alone, 202, `{"order_id":"A-1"}`, false},
		{"an unknown durability", alone, 202, `{"order_id":"A-1","durability":"best"}`, false},
		{"another order's receipt", alone, 202, `{"order_id":"A-2","durability":"memory"}`, false},
		{"200 for an order", alone, 200, `{"order_id":"A-1","durability":"memory"}`, false},
		{"204", alone, 204, ``, false},
		{"a receipt under another key", `{"nr":"A-1","order_id":"own",` + "\n\"x\":1}", 202, `{"order_id":"A-1","durability":"memory"}`, true},
		{"a result", batch, 200, result(`{"order_id":"A-1","status":202}`), true},
		{"an empty result", batch, 200, result(`{}`), false},
		{"a result without an id", batch, 200, result(`{"status":202}`), false},
		{"another order's result", batch, 200, result(`{"order_id":"A-2","status":202}`), false},
		{"a rejection without a reason", batch, 200, result(`{"order_id":"A-1","status":422}`), false},
		{"no durability of a batch", batch, 200, `{"results":[{"order_id":"A-1","status":202}]}`, false},
		{"202 for a batch", batch, 202, result(`{"order_id":"A-1","status":202}`), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &moody{say: func(int, []string) (int, string, http.Header, error) { return tt.status, tt.body, nil, nil }}
				sum, said, err := m.ask(t.Context(), time.Minute, tt.order)
				if tt.believed {
					if err != nil || sum.Accepted != 1 {
						t.Errorf("%d accepted: %v\n%s", sum.Accepted, err, said)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), "http://shop is no producer of orderq: ") || sum.Accepted+sum.Rejected != 0 {
					t.Errorf("%d accepted, %d rejected: %v\n%s", sum.Accepted, sum.Rejected, err, said)
				}
			})
		})
	}
}

func TestEnqueueBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &moody{say: func(int, []string) (int, string, http.Header, error) { return 503, "", nil, nil }}
		_, said, err := m.ask(t.Context(), time.Hour, "1\n")
		// On average 5 s apart; 3,600 would be a second apart, 100 half a minute.
		if n := len(m.asked); err == nil || n < 400 || n > 1200 {
			t.Errorf("%d requests in an hour: %v", n, err)
		}
		if took := time.Since(m.began); took < time.Hour || took > time.Hour+backoffMax {
			t.Errorf("gave up after %v", took)
		}
		if strings.Count(said, "trying again") != 1 {
			t.Errorf("the same is said more than once:\n%s", said)
		}
	})
}

func TestEnqueueGivesUpOnlyWithoutProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Every 50 s one order of ten is taken.
		m := &moody{}
		m.say = func(n int, orders []string) (int, string, http.Header, error) {
			if n%2 == 1 {
				return 503, "", http.Header{"Retry-After": {"50"}}, nil
			}
			return 200, taken(append([]int{202}, slices.Repeat([]int{503}, len(orders)-1)...)...), nil, nil
		}
		sum, said, err := m.ask(t.Context(), time.Minute, strings.Repeat("1\n", 10))
		if err != nil || sum.Accepted != 10 {
			t.Errorf("%d accepted: %v\n%s", sum.Accepted, err, said)
		}
	})
}

func TestEnqueueKeepsChunksInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		m := &moody{say: func(n int, orders []string) (int, string, http.Header, error) {
			if n%3 > 0 {
				return 0, "", nil, io.ErrUnexpectedEOF
			}
			order = append(order, orders...)
			return 200, allTaken(orders), nil, nil
		}}
		want := many(1234)
		if _, said, err := m.ask(t.Context(), time.Minute, strings.Join(want, "\n")); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		if diff := cmp.Diff(want, order); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestEnqueueSendsWhatASlowInputHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		m := &moody{began: time.Now(), say: func(_ int, orders []string) (int, string, http.Header, error) {
			return 200, taken([]int{202, 202}[:len(orders)]...), nil, nil
		}}
		go func() {
			fmt.Fprint(pw, "1\n2\n")
			time.Sleep(time.Minute) //nolint:forbidigo // in a bubble of fake time sleeping is how time passes
			fmt.Fprint(pw, "3\n")
			pw.Close()
		}()
		l := &loader{
			view: view{out: io.Discard, errs: io.Discard}, progress: &progress{}, name: "stdin",
			to: &submitter{http: &http.Client{Transport: m}, base: "http://shop"},
		}
		if err := l.load(t.Context(), read(t.Context(), newInput(pr))); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"0s 1 2", "1m0s 3"}, m.asked); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		after, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{"-7", "", 0},
		{"soon", "", 0},
		{"99999999999999999999", "", 0},
		{"Mon, 02 Mar 2026 09:00:30 GMT", "Mon, 02 Mar 2026 09:00:00 GMT", 30 * time.Second},
		{"Mon, 02 Mar 2026 09:00:00 GMT", "Mon, 02 Mar 2026 09:00:30 GMT", 0},
	} {
		h := http.Header{"Retry-After": {tt.after}, "Date": {tt.date}}
		if got := retryAfter(h); got != tt.want {
			t.Errorf("%q at %q: %v, want %v", tt.after, tt.date, got, tt.want)
		}
	}
}
