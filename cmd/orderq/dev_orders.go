package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

//go:embed sample/orders.json
var sampleJSON []byte

// sampleOrders gives n orders: those of the sample file over and over, each
// with an id of its own, demo-RUN-NUMBER, where run tells one start from another.
func sampleOrders(n int, run string) ([][]byte, error) {
	var samples []json.RawMessage
	if err := json.Unmarshal(sampleJSON, &samples); err != nil {
		return nil, fmt.Errorf("read the sample orders: %w", err)
	}
	orders := make([][]byte, n)
	for i := range orders {
		sample := samples[i%len(samples)]
		var head struct {
			ID string `json:"order_id"`
		}
		if err := json.Unmarshal(sample, &head); err != nil {
			return nil, fmt.Errorf("read a sample order: %w", err)
		}
		id := fmt.Sprintf("demo-%s-%03d", run, i+1)
		// Replaced in the text, so that all else stays as a shop wrote it.
		orders[i] = bytes.Replace(sample, []byte(`"`+head.ID+`"`), []byte(`"`+id+`"`), 1)
	}
	return orders, nil
}

// newRunName gives six characters that no other start is likely to have.
func newRunName() string { return strings.ToLower(rand.Text()[:6]) }

// submitAll sends orders to a producer, one after the other, as a shop would.
// It goes on trying while the answer is that it may be tried again.
func submitAll(ctx context.Context, url string, orders [][]byte) error {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	for i, order := range orders {
		for {
			again, err := submitOne(ctx, client, url, order)
			if err == nil {
				break
			}
			if !again || ctx.Err() != nil {
				return fmt.Errorf("submit order %d of %d: %w", i+1, len(orders), err)
			}
			if err := sleep(ctx, time.Second); err != nil {
				return err
			}
		}
	}
	return nil
}

// submitOne sends one order. Again says that the same order may be sent again:
// there was no answer, or it was 429 or 5xx.
func submitOne(ctx context.Context, client *http.Client, url string, order []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(order))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(req)
	if err != nil {
		return true, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusAccepted {
		return false, nil
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
	again = answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500
	return again, fmt.Errorf("%s: %s", answer.Status, oneLine(string(text)))
}

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
