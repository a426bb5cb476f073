package producer_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"orderq/internal/embedded"
	"orderq/producer"
	"orderq/streamutil"
)

// A producer in a server of one's own, under a path of one's own. (Here Redis and
// the server are in this process, so that the example runs by itself.)
func Example() {
	redis, err := embedded.Start("127.0.0.1:0")
	if err != nil {
		log.Print(err)
		return
	}
	defer redis.Close()

	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{redis.Addr()}})
	defer client.Close()
	queue, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: "orders"})
	if err != nil {
		log.Print(err)
		return
	}
	orders, err := producer.New(queue, producer.Config{MaxBody: 16 << 10})
	if err != nil {
		log.Print(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/shop/", http.StripPrefix("/shop", orders))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "the shop's own pages") })
	server := httptest.NewServer(mux)
	defer server.Close()

	answer, err := http.Post(server.URL+"/shop/v1/orders", "application/json", strings.NewReader(`{"order_id":"A-1"}`))
	if err != nil {
		log.Print(err)
		return
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	fmt.Println(answer.StatusCode, answer.Header.Get("Location"))
	// Output: 202 /shop/v1/orders/A-1
}
