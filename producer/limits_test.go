package producer_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"orderq/producer"
	"orderq/streamutil"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]producer.Rate{
		"": {}, "100/s": {100, time.Second}, "30/m": {30, time.Minute}, "2500/h": {2500, time.Hour},
	} {
		got, err := producer.ParseRate(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %+v, %q, %v", text, got, got, err)
		}
	}
	for _, text := range []string{"100", "/s", "0/s", "-1/s", "1.5/s", "1/d", "1/ss", "99999999999/s", "unlimited"} {
		if got, err := producer.ParseRate(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// unreached is a handler whose requests end before they come to Redis.
func unreached(t *testing.T, cfg producer.Config) *producer.Handler {
	t.Helper()
	q, err := streamutil.NewQueue(streamutil.NewClient(streamutil.ClientConfig{}), streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := producer.New(q, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask looks for an order that cannot be, so that the answer is 404 or about the
// client.
func ask(h http.Handler, from, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/v1/orders/!", nil)
	r.RemoteAddr = from
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := unreached(t, producer.Config{RateLimit: producer.Rate{Requests: 3, Per: time.Minute}})
		want := func(code int, from string) *httptest.ResponseRecorder {
			t.Helper()
			w := ask(h, from, "")
			if w.Code != code {
				t.Errorf("%s: got %d, want %d", from, w.Code, code)
			}
			return w
		}
		for range 3 {
			want(404, "10.0.0.1:1000")
		}
		w := want(429, "10.0.0.1:2000") // another port is no other client
		if after := w.Header().Get("Retry-After"); after != "20" {
			t.Errorf("Retry-After is %q, want 20", after)
		}
		want(404, "10.0.0.2:1000")
		for range 3 {
			want(404, "[2001:db8::1]:1")
		}
		want(429, "[2001:db8::2]:1")
		want(404, "[2001:db8:0:1::1]:1")
		<-time.After(20 * time.Second) // as Retry-After said
		want(404, "10.0.0.1:1000")
		want(429, "10.0.0.1:1000")
		r := httptest.NewRequest(http.MethodGet, "/livez", nil)
		r.RemoteAddr = "10.0.0.1:1000"
		w = httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("a probe got %d; probes are not counted", w.Code)
		}
	})
}

func TestRateLimitOfATokenIsByItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both := tokens(t, "a read first\na read second\nb read third")
		h := unreached(t, producer.Config{
			RateLimit: producer.Rate{Requests: 1, Per: time.Second}, Tokens: func() producer.Tokens { return both },
		})
		var got []string
		for _, token := range []string{"first", "second", "third", "guess", "guess"} {
			got = append(got, strconv.Itoa(ask(h, "10.0.0.1:1", token).Code))
		}
		if want := "404 429 404 401 429"; strings.Join(got, " ") != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

// Nobody makes the producer remember without end.
func TestRateLimitForgets(t *testing.T) {
	h := unreached(t, producer.Config{RateLimit: producer.Rate{Requests: 1, Per: time.Hour}})
	ask(h, "10.0.0.1:1", "")
	if w := ask(h, "10.0.0.1:1", ""); w.Code != http.StatusTooManyRequests {
		t.Fatalf("got %d", w.Code)
	}
	for i := range 10_000 {
		ask(h, "10."+strconv.Itoa(1+i/65536)+"."+strconv.Itoa(i/256%256)+"."+strconv.Itoa(i%256)+":1", "")
	}
	if w := ask(h, "10.0.0.1:1", ""); w.Code != http.StatusNotFound {
		t.Errorf("got %d; the oldest of 10,001 is still known", w.Code)
	}
}

// Refusals cost nothing: however many ask too soon, all at once, each that comes
// in time is let in.
func TestRateLimitIsNotUsedUpByRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const seconds, connections = 6, 64
		h := unreached(t, producer.Config{RateLimit: producer.Rate{Requests: 10, Per: time.Second}})
		var admitted atomic.Int64
		var all sync.WaitGroup
		end := time.Now().Add(seconds * time.Second)
		for range connections {
			all.Go(func() {
				for ; time.Now().Before(end); <-time.After(10 * time.Millisecond) {
					switch w := ask(h, "10.0.0.1:1", ""); {
					case w.Code == http.StatusNotFound:
						admitted.Add(1)
					case w.Header().Get("Retry-After") != "1":
						t.Errorf("got %d and Retry-After %q, want 429 and 1", w.Code, w.Header().Get("Retry-After"))
						return
					}
				}
			})
		}
		all.Wait()
		if n := admitted.Load(); n < 10*seconds || n > 10*seconds+10 {
			t.Errorf("%d were let in, want 10 at once and 10 a second", n)
		}
	})
}
