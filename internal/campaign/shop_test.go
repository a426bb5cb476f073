package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"orderq/streamutil"
)

// shop posts orders until each of them is accepted: only a 202 counts.
type shop struct {
	url    string
	client http.Client

	mu       sync.Mutex
	accepted map[string]Submission
	tries    int
}

func newShop(url string) *shop {
	return &shop{
		url: url, accepted: map[string]Submission{},
		// A connection of its own for each call: a killed producer leaves dead ones.
		client: http.Client{Timeout: 4 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// post posts n orders, some at once and then one every interval, by a few
// clients at a time. It returns when all are accepted.
func (s *shop) post(ctx context.Context, n, atOnce int, every time.Duration) error {
	g, ctx := errgroup.WithContext(ctx)
	orders := make(chan int)
	for range 4 {
		g.Go(func() error {
			for i := range orders {
				if _, err := s.submit(ctx, fmt.Sprintf("K-%04d", i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(orders)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := range n {
			if i >= atOnce {
				<-tick.C
			}
			select {
			case orders <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}

// body is an order with what a decoder might be tempted to tidy up.
func body(id string) string {
	return "{ \"order_id\":\"" + id + "\" ,\n\t\"amount\": 12.50, \"currency\":\"EUR\",\"note\":\"caf\\u00e9 \\/ 1e2\", \"n\": 1.0e+2 }\n"
}

// submit posts one order until it is accepted.
func (s *shop) submit(ctx context.Context, id string) (streamutil.EntryID, error) {
	text := body(id)
	for {
		status, receipt, err := s.try(ctx, text)
		switch {
		case ctx.Err() != nil:
			return streamutil.EntryID{}, fmt.Errorf("submit %s: %w (last: %d, %w)", id, ctx.Err(), status, err)
		case err == nil && status == http.StatusAccepted:
			sum := sha256.Sum256([]byte(text))
			s.mu.Lock()
			s.accepted[id] = Submission{Entry: receipt.Entry, BodySHA: hex.EncodeToString(sum[:])}
			s.mu.Unlock()
			return receipt.Entry, nil
		case status >= 400 && status < 500:
			return streamutil.EntryID{}, fmt.Errorf("submit %s: status %d", id, status)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// answer is the part of the producer's answers that the tests read.
type answer struct {
	Entry streamutil.EntryID `json:"entry_id"`
	State streamutil.State   `json:"state"`
}

func (s *shop) try(ctx context.Context, text string) (int, answer, error) {
	s.mu.Lock()
	s.tries++
	s.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/orders", strings.NewReader(text))
	if err != nil {
		return 0, answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	return s.do(req)
}

func (s *shop) do(req *http.Request) (int, answer, error) {
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return resp.StatusCode, answer{}, err
	}
	var a answer
	err = json.Unmarshal(text, &a)
	return resp.StatusCode, a, err
}

// states looks every accepted order up.
func (s *shop) states(ctx context.Context) (map[string]streamutil.State, error) {
	states := map[string]streamutil.State{}
	for id := range s.accepted {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/orders/"+id, nil)
		if err != nil {
			return nil, err
		}
		status, a, err := s.do(req)
		if err != nil {
			return nil, fmt.Errorf("look up %s: %w", id, err)
		}
		if status == http.StatusOK {
			states[id] = a.State
		}
	}
	return states, nil
}
