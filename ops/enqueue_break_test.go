package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orderq/producer"
)

// vanish cuts the connection of a request instead of an answer.
func vanish(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.Close()
}

func TestEnqueueGivesEachOrderOnceWhateverBreaks(t *testing.T) {
	orders := many(1200)
	orders[700] = "{\n\"order_id\": \"A-701\"\n}"
	input := "[" + strings.Join(orders, ",\n") + "]"
	unread := httptest.NewRecorder
	for _, tt := range []struct {
		name   string
		meddle func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler)
	}{
		{"no request arrives the first time", func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n%2 == 1 {
				vanish(w)
				return
			}
			next.ServeHTTP(w, r)
		}},
		{"no answer arrives the first time", func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n%2 == 1 {
				next.ServeHTTP(unread(), r)
				vanish(w)
				return
			}
			next.ServeHTTP(w, r)
		}},
		{"half of an answer arrives", func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n%2 == 1 {
				rec := unread()
				next.ServeHTTP(rec, r)
				w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()))
				_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
				return
			}
			next.ServeHTTP(w, r)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, producer.Config{})
			f.meddle = tt.meddle
			got, errs, err := f.enqueue(input)
			if err != nil || got[0] != len(orders) || got[1]+got[2] != len(orders) {
				t.Errorf("got %v: %v\n%s", got, err, errs)
			}
			if diff := cmp.Diff(orders, f.accepted()); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEnqueueInterruptedAndRepeated(t *testing.T) {
	f := newFront(t, producer.Config{})
	orders := many(1500)
	input := strings.Join(orders, "\n")
	ctx, interrupt := context.WithCancel(t.Context())
	f.meddle = func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n == 2 {
			next.ServeHTTP(httptest.NewRecorder(), r)
			interrupt() // with the second chunk taken and not answered
			<-r.Context().Done()
			return
		}
		next.ServeHTTP(w, r)
	}
	out, errs, err := enqueueIn(ctx, strings.NewReader(input), "--url", f.url)
	first := countsOf(t, out)
	if err == nil || err.Error() != "interrupted; run the same command again to go on: orders that were accepted are recognised" {
		t.Errorf("ends with %v\n%s", err, errs)
	}
	if first[1] == 0 || first[1] == len(orders) || first[2]+first[3] > 0 {
		t.Fatalf("the first run: %v", first)
	}
	second, errs, err := f.enqueue(input)
	if err != nil || second[0] != len(orders) || second[1]+second[2] != len(orders) || second[2] <= first[1] {
		t.Errorf("after %v the second run: %v: %v\n%s", first, second, err, errs)
	}
	if diff := cmp.Diff(orders, f.accepted()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

func TestEnqueueEndsWhileItsInputIsSilent(t *testing.T) {
	f := newFront(t, producer.Config{})
	ctx, interrupt := context.WithCancel(t.Context())
	f.meddle = func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		interrupt()
	}
	pr, pw := io.Pipe()
	defer pw.Close()
	go func() { fmt.Fprintln(pw, `{"order_id":"A-1"}`) }()
	if _, _, err := enqueueIn(ctx, pr, "--url", f.url); err == nil || !strings.HasPrefix(err.Error(), "interrupted") {
		t.Errorf("ends with %v", err)
	}
}

func TestEnqueueHoldsLittle(t *testing.T) {
	const orders, most = 60_000, 12 << 20
	line := `{"order_id":"A-%d","x":"` + strings.Repeat("x", 300) + `"}` + "\n"
	var peak uint64
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if n++; n%20 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		var results [][]byte
		for line := range bytes.Lines(body) {
			id, _, _ := bytes.Cut(line, []byte(`,"x":`))
			results = append(results, slices.Concat(id, []byte(`,"status":202}`)))
		}
		_, _ = fmt.Fprintf(w, `{"durability":"memory","results":[%s]}`, bytes.Join(results, []byte(",")))
	}))
	defer server.Close()
	pr, pw := io.Pipe()
	go func() {
		for i := range orders {
			fmt.Fprintf(pw, line, i)
		}
		pw.Close()
	}()
	out, errs, err := enqueueIn(t.Context(), pr, "--url", server.URL)
	if err != nil || countsOf(t, out) != (counts{orders, orders}) {
		t.Errorf("%s: %v\n%s", out, err, errs)
	}
	if peak == 0 || peak > most {
		t.Errorf("held %d MiB for an input of 20 MiB, want at most %d", peak>>20, most>>20)
	}
}

func TestEnqueueWithTokens(t *testing.T) {
	tokens, err := producer.ParseTokens("shop submit s3cret-of-the-shop-0001\nviewer read s3cret-of-the-viewer-01\n")
	if err != nil {
		t.Fatal(err)
	}
	f := newFront(t, producer.Config{Tokens: func() producer.Tokens { return tokens }})
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name, token, err string
	}{
		{"none", "", "answers 401 Unauthorized: "},
		{"unknown", "s3cret-of-nobody-0000001", "it does not know the token in --token-file"},
		{"another scope", "s3cret-of-the-viewer-01", "it takes a token with the scope submit"},
		{"with its name", "shop submit s3cret-of-the-shop-0001", "want the secret alone"},
		{"empty", "\n", "is empty"},
		{"right", "s3cret-of-the-shop-0001\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"--url", f.url}
			if tt.token != "" {
				args = append(args, "--token-file", file(tt.token))
			}
			_, errs, err := enqueueIn(t.Context(), strings.NewReader(`{"order_id":"A-1"}`), args...)
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if strings.Contains(fmt.Sprint(errs, err), "s3cret") {
				t.Errorf("shows a secret: %s, %v", errs, err)
			}
		})
	}
}

func TestEnqueueAddresses(t *testing.T) {
	f := newFront(t, producer.Config{})
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		_, _ = io.WriteString(w, taken(202))
	})}
	go server.Serve(l)
	defer server.Close()
	f.meddle = func(_ int64, w http.ResponseWriter, r *http.Request, _ http.Handler) { server.Handler.ServeHTTP(w, r) }
	for _, tt := range []struct {
		url, path string
		code      int
	}{
		{f.url, "/v1/orders:batch", 0},
		{f.url + "/", "/v1/orders:batch", 0},
		{f.url + "/a/queue/", "/a/queue/v1/orders:batch", 0},
		{"unix:" + socket, "/v1/orders:batch", 0},
		{"unix:", "", exitUsage},
		{"127.0.0.1:8080", "", exitUsage},
		{"ftp://shop", "", exitUsage},
		{"http://anna:s3cret@shop", "", exitUsage},
		{"http://shop/?a=b", "", exitUsage},
		{"http://", "", exitUsage},
	} {
		paths = nil
		_, _, err := enqueueIn(t.Context(), strings.NewReader(`{"order_id":"A"}`), "--url", tt.url)
		if code := ending(err); code != tt.code || strings.Join(paths, " ") != tt.path {
			t.Errorf("%s: exit code %d, %q: %v", tt.url, code, paths, err)
		}
		if strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("%s: shows the password: %v", tt.url, err)
		}
	}
	for _, tt := range []struct {
		args []string
		code int
		err  string
	}{
		{[]string{filepath.Join(t.TempDir(), "none")}, exitFailed, "no such file"},
		{[]string{t.TempDir()}, exitFailed, "is a directory"},
		{[]string{"--token-file", filepath.Join(t.TempDir(), "none")}, exitFailed, "no such file"},
		{[]string{"--give-up-after", "-1s"}, exitUsage, "--give-up-after"},
	} {
		if _, _, err := enqueueIn(t.Context(), strings.NewReader(""), tt.args...); ending(err) != tt.code || !strings.Contains(fmt.Sprint(err), tt.err) {
			t.Errorf("%s: %v, want %q", tt.args, err, tt.err)
		}
	}
}

// ending is the exit code that an error asks for.
func ending(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*exit](err); ok {
		return e.code
	}
	return exitFailed
}

func TestEnqueueTrustsNoUnknownCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	_, errs, err := enqueueIn(t.Context(), strings.NewReader(`{}`), "--url", server.URL, "--give-up-after", "1ms")
	if err == nil || !strings.Contains(err.Error(), server.URL+" is not to be trusted: tls: ") || strings.Contains(errs, "again") {
		t.Errorf("got %v\n%s", err, errs)
	}
}
