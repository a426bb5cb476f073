package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
)

// load submits orders at a steady rate, whatever becomes of them: like the
// customers of a shop, it does not wait for the one before.
type load struct {
	url, prefix string
	client      *http.Client

	mu       sync.Mutex
	accepted []string
	failed   map[string]int // what went wrong → how often
}

// run submits until SIGTERM, then writes the accepted ids to a file and tells
// on one line what it did.
func (l *load) run(rate int, path string) error {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	var running sync.WaitGroup
	begin, n := time.Now(), 0
	for going := true; going; {
		select {
		case <-end:
			going = false
		case <-tick.C:
			// A tick that came late is made up for.
			for ; n < int(time.Since(begin).Seconds()*float64(rate)); n++ {
				id := fmt.Sprintf("%s-%06d", l.prefix, n)
				running.Go(func() { l.submit(id) })
			}
		}
	}
	took := time.Since(begin)
	running.Wait()
	return l.report(path, n, took)
}

func (l *load) submit(id string) {
	body := fmt.Sprintf(`{"order_id":%q,"amount":"12.50","currency":"TWD"}`, id)
	why := "no answer"
	resp, err := l.client.Post(l.url, "application/json", bytes.NewBufferString(body))
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		why = resp.Status
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, id, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && resp.StatusCode == http.StatusAccepted {
		l.accepted = append(l.accepted, id)
		return
	}
	l.failed[why]++
}

func (l *load) report(path string, n int, took time.Duration) error {
	var ids bytes.Buffer
	for _, id := range l.accepted {
		fmt.Fprintln(&ids, id)
	}
	if err := os.WriteFile(path, ids.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Printf("sent %d, %.0f/s, failed %d", n, float64(n)/took.Seconds(), n-len(l.accepted))
	for _, why := range slices.Sorted(maps.Keys(l.failed)) {
		fmt.Printf(", %s %d", why, l.failed[why])
	}
	fmt.Println()
	return nil
}
