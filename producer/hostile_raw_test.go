package producer_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/producer"
	"orderq/streamutil"
)

// raw writes bytes to a connection of its own and gives the status of each
// answer until the server closes it. With cut, it says that no more will come.
func (s *shop) raw(text string, cut bool) (statuses []int) {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		s.t.Fatal(err)
	}
	if cut {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	answers := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(answers, nil)
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout():
			s.t.Errorf("%.300q: the server keeps the connection open", text)
			return statuses
		case err != nil: // it is closed
			return statuses
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		statuses = append(statuses, resp.StatusCode)
	}
}

// Bodies that are not as their frame says. In a request %s stands for the path and
// the media type. What is no request at all net/http answers by itself: thus a 501.
func TestHostileFrames(t *testing.T) {
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{BodyTimeout: 100 * time.Millisecond})
	const (
		head    = "POST %s\r\nHost: x\r\n"
		chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
	)
	for _, tt := range []struct {
		name, text string
		cut        bool
		want       []int // nil: any but a 5xx, for which requests there are is not clear
	}{
		{"shorter than it says, and cut", head + "Content-Length: 100\r\n\r\n{\"order_id\":\"F-1\"}", true, []int{400}},
		{"shorter than it says, and slow", head + "Content-Length: 100\r\n\r\n{\"order_id\":\"F-1\"}", false, []int{408}},
		{"nothing comes", head + "Content-Length: 100\r\n\r\n", false, []int{408}},
		{"longer than it says", head + "Content-Length: 10\r\n\r\n{\"order_id\":\"F-1\"}", true, nil},
		{"more than may be, by its own account", head + "Content-Length: 99999999999\r\n\r\n{}", false, []int{413}},
		{"more than there are numbers", head + "Content-Length: 99999999999999999999\r\n\r\n{}", false, []int{400}},
		{"below nothing", head + "Content-Length: -1\r\n\r\n{}", false, []int{400}},
		{"no number", head + "Content-Length: x\r\n\r\n{}", false, []int{400}},
		{"two lengths", head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", false, []int{400}},
		{"a length and chunks", head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", true, nil},
		{"an unknown coding", head + "Transfer-Encoding: gzip\r\n\r\n{}", false, []int{501}},
		{"chunks that break off", chunked + "12\r\n{\"order_id\":\"F-1\"}\r\n", true, []int{400}},
		{"chunks that stop coming", chunked + "12\r\n{\"order_id\":\"F-1\"}\r\n", false, []int{408}},
		{"a chunk shorter than it says", chunked + "40\r\n{\"order_id\":\"F-1\"}\r\n0\r\n\r\n", true, []int{400}},
		{"a chunk longer than it says", chunked + "5\r\n{\"order_id\":\"F-1\"}\r\n0\r\n\r\n", true, []int{400}},
		{"a chunk of no number", chunked + "x\r\n{\"order_id\":\"F-1\"}\r\n0\r\n\r\n", true, []int{400}},
		{"a chunk too large to count", chunked + "fffffffffffffffff\r\n{}\r\n0\r\n\r\n", true, []int{400}},
		{"a chunk below nothing", chunked + "-1\r\n{}\r\n0\r\n\r\n", true, []int{400}},
		{"a chunk's extension without end", chunked + "1;" + strings.Repeat("x", 10_000), true, []int{400}},
		{"a header without end", head + "X: " + strings.Repeat("x", 2<<20), true, []int{431}},
		{"no HTTP", "\x16\x03\x01\x02\x00 %s", true, []int{400}},
	} {
		for _, target := range []string{"/v1/orders " + array, "/v1/orders:batch " + array, "/v1/orders:batch " + lines} {
			t.Run(tt.name+" to "+target, func(t *testing.T) {
				path, media, _ := strings.Cut(target, " ")
				text := strings.Replace(tt.text, "%s", path+" HTTP/1.1\r\nContent-Type: "+media, 1)
				got := (&shop{t: t, url: s.url}).raw(text, tt.cut)
				bad := slices.ContainsFunc(got, func(status int) bool { return status >= 500 })
				if tt.want == nil && bad || tt.want != nil && fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			})
		}
	}
	snapshot, err := s.queue.Inspect(t.Context())
	if err != nil || snapshot.Length != 0 {
		t.Errorf("%d of them are in the queue (%v)", snapshot.Length, err)
	}
	s.mustPost(order)
}

// Whoever sends slowly is cut off, even if a little comes all the time.
func TestHostileDrip(t *testing.T) {
	s := open(t, redistest.Shared(t).Addr(), streamutil.QueueConfig{}, producer.Config{BodyTimeout: 100 * time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n")
	answered := make(chan struct{})
	dripped := make(chan struct{})
	go func() {
		defer close(dripped)
		drops := time.NewTicker(5 * time.Millisecond)
		defer drops.Stop()
		for {
			select {
			case <-answered:
				return
			case <-drops.C:
				_, _ = io.WriteString(conn, " ")
			}
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	close(answered)
	<-dripped
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("got %d, want 408", resp.StatusCode)
	}
}

// A refusal leaves its connection as good as it was, however late the server gets
// to the next request on it.
func TestRefusedThenTaken(t *testing.T) {
	s := usual(t)
	lingering := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.ServeHTTP(w, r)
		select {
		case <-r.Context().Done():
			t.Error("a deadline was left behind, and canceled the connection")
		case <-time.After(300 * time.Millisecond): // three times what a refused body may take
		}
	}))
	t.Cleanup(lingering.Close)
	browser := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	t.Cleanup(browser.CloseIdleConnections)
	for i, x := range []struct {
		media, body string
		want        int
	}{
		{array, "{", http.StatusBadRequest},                   // read
		{"text/plain", "{}", http.StatusUnsupportedMediaType}, // not read
		{array, `{"order_id":"R-1"}`, http.StatusAccepted},
	} {
		resp, err := browser.Post(lingering.URL+"/v1/orders", x.media, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != x.want || resp.Close {
			t.Errorf("request %d: got %d (close: %v), want %d on a kept connection", i, resp.StatusCode, resp.Close, x.want)
		}
	}
}
