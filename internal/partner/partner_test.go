package partner

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"orderq/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, o Options) (*Partner, *httptest.Server) {
	t.Helper()
	p := New(o)
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return p, s
}

func request(ctx context.Context, t *testing.T, url, id string, attempt int) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"order_id":"`+id+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Order-Id", id)
	r.Header.Set("Idempotency-Key", id)
	r.Header.Set("X-Attempt", strconv.Itoa(attempt))
	return r
}

// send makes one call and gives the status and body of the answer.
func send(t *testing.T, s *httptest.Server, id string, attempt int) (int, string, http.Header) {
	t.Helper()
	answer, err := s.Client().Do(request(t.Context(), t, s.URL, id, attempt))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body), answer.Header
}

func TestCallsAreRemembered(t *testing.T) {
	p, s := serve(t, Options{})
	before := Now()
	r := request(t.Context(), t, s.URL, "a-1", 3)
	r.Header.Set(StartHeader, strconv.FormatInt(before, 10))
	answer, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	body := []byte(`{"order_id":"a-1"}`)
	want := []Call{{
		Seq: 1, OrderID: "a-1", Attempt: 3, Key: "a-1", Sent: before, Status: 200,
		BodySHA: fmt.Sprintf("%x", sha256.Sum256(body)), Body: body,
	}}
	got := p.Calls()
	ignored := cmpopts.IgnoreFields(Call{}, "Arrived", "Ended", "Header")
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Fatalf("calls (-want +got):\n%s", diff)
	}
	c := got[0]
	if c.Arrived < before || c.Ended < c.Arrived || c.Ended > Now() {
		t.Errorf("sent %d, arrived %d, ended %d, now %d", before, c.Arrived, c.Ended, Now())
	}
	if c.Header.Get("X-Attempt") != "3" || c.Start() != before {
		t.Errorf("header %v, start %d", c.Header, c.Start())
	}
}

func TestFailRateIsRepeatable(t *testing.T) {
	statuses := func(seed uint64) (all []int, failed int) {
		_, s := serve(t, Options{FailRate: 0.5, Seed: seed})
		for range 40 {
			status, _, _ := send(t, s, "a", 1)
			all = append(all, status)
			if status == 500 {
				failed++
			}
		}
		return all, failed
	}
	first, failed := statuses(7)
	if failed < 5 || failed > 35 {
		t.Errorf("%d of 40 calls failed at a rate of one half", failed)
	}
	if again, _ := statuses(7); !cmp.Equal(first, again) {
		t.Errorf("seed 7 gave %v, then %v", first, again)
	}
}

func TestScriptedAnswer(t *testing.T) {
	p, s := serve(t, Options{Respond: func(c Call) Response {
		if c.Attempt == 1 {
			return Response{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Body: "slow down"}
		}
		return Response{}
	}})
	if status, body, h := send(t, s, "a", 1); status != 429 || body != "slow down" || h.Get("Retry-After") != "7" {
		t.Errorf("got %d %q %v", status, body, h)
	}
	if status, _, _ := send(t, s, "a", 2); status != 200 {
		t.Errorf("got %d", status)
	}
	p.Change(func(o *Options) { o.Respond = nil; o.FailRate = 1 })
	if status, _, _ := send(t, s, "a", 3); status != 500 {
		t.Errorf("after the change: %d", status)
	}
}

func TestLatencyIsKept(t *testing.T) {
	p, s := serve(t, Options{Latency: 30 * time.Millisecond})
	send(t, s, "a", 1)
	if took := p.Calls()[0].Took(); took < 30*time.Millisecond {
		t.Errorf("the call took %v", took)
	}
}

func TestHangingUpIsSeen(t *testing.T) {
	p, s := serve(t, Options{Respond: func(Call) Response { return Response{Hang: true} }})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		answer, err := s.Client().Do(request(ctx, t, s.URL, "a", 1))
		if err == nil {
			answer.Body.Close()
		}
		gone <- err
	}()
	redistest.Eventually(t, "the call arrives", func() bool { return p.Seen() == 1 })
	if c := p.Calls()[0]; c.Ended != 0 {
		t.Errorf("a running call ended at %d", c.Ended)
	}
	cancel()
	if err := <-gone; err == nil {
		t.Error("a cancelled call was answered")
	}
	redistest.Eventually(t, "the partner sees it", func() bool { return p.Calls()[0].HungUp })
}

func TestDroppedConnection(t *testing.T) {
	p, s := serve(t, Options{Respond: func(Call) Response { return Response{Drop: true} }})
	r := request(t.Context(), t, s.URL, "a", 1)
	r.GetBody, r.Header["Idempotency-Key"] = nil, nil // else the transport repeats it by itself
	if answer, err := s.Client().Do(r); err == nil {
		answer.Body.Close()
		t.Error("got an answer")
	}
	if c := p.Calls(); len(c) != 1 || c[0].Status != 0 || c[0].HungUp {
		t.Errorf("calls %+v", c)
	}
}

func TestBodyWithoutItsEnd(t *testing.T) {
	for name, response := range map[string]Response{
		"cut":     {Status: 202, Body: "abcdef", Cut: true},
		"endless": {Status: 202, Body: "abcdef", Endless: true},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := serve(t, Options{Respond: func(Call) Response { return response }})
			answer, err := s.Client().Do(request(t.Context(), t, s.URL, "a", 1))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
			if cut := err != nil && string(body) == "abc"; cut != response.Cut {
				t.Errorf("the body ended after %d bytes with %v", len(body), err)
			}
			if response.Endless && len(body) < 1<<20 {
				t.Errorf("the body ended after %d bytes", len(body))
			}
			if c := p.Calls()[0]; answer.StatusCode != response.Status || c.Status != response.Status || c.Ended == 0 {
				t.Errorf("answered %d, call %+v", answer.StatusCode, c)
			}
		})
	}
}

func TestForgetKeepsNothing(t *testing.T) {
	p, s := serve(t, Options{Forget: true})
	send(t, s, "a", 1)
	if len(p.Calls()) != 0 || p.Seen() != 1 {
		t.Errorf("kept %d of %d calls", len(p.Calls()), p.Seen())
	}
}
