package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// slowAnswer is how long the partner thinks about an order named slow-…, so
// that there is time to kill the consumer that has it in hand.
const slowAnswer = 3 * time.Second

// partner takes orders and writes lines for each call: "call ID" when it
// begins, "token ID AUTHORIZATION" if it has one, "done ID" once it was answered.
type partner struct {
	mu  sync.Mutex
	log *os.File
}

func servePartner(address, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	p := &partner{log: f}
	server := &http.Server{Addr: address, Handler: p, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// ServeHTTP implements [http.Handler].
func (p *partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Order-Id")
	p.note("call", id)
	if token := r.Header.Get("Authorization"); token != "" {
		p.note("token", id+" "+token)
	}
	if strings.HasPrefix(id, "slow-") {
		select {
		case <-time.After(slowAnswer):
		case <-r.Context().Done(): // whoever called is dead
			return
		}
	}
	w.WriteHeader(http.StatusOK)
	p.note("done", id)
}

func (p *partner) note(what, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.log, what, id)
}
