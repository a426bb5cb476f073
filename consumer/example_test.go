package consumer_test

import (
	"context"
	"errors"
	"log"
	"os"
	"os/signal"

	"orderq/consumer"
	"orderq/streamutil"
)

// warehouse hands orders to something that is no HTTP API.
type warehouse struct{}

// Send implements consumer.Sender.
func (warehouse) Send(_ context.Context, o streamutil.Order) consumer.Result {
	switch err := store(o.ID, o.Body); {
	case errors.Is(err, errUnknownItem):
		return consumer.Result{Outcome: streamutil.OutcomeRejected, Err: err} // a dead letter, for a person
	case err != nil:
		return consumer.Result{Outcome: streamutil.OutcomeFailed, Err: err} // tried again
	}
	return consumer.Result{Outcome: streamutil.OutcomeDelivered}
}

var errUnknownItem = errors.New("no such item")

func store(string, []byte) error { return nil }

// A consumer with a Sender of one's own: paced, in order, over any number of
// processes.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	client := streamutil.NewClient(streamutil.ClientConfig{Addresses: []string{"127.0.0.1:6379"}})
	defer client.Close()
	queue, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: "orders"})
	if err != nil {
		log.Print(err)
		return
	}
	c, err := consumer.New(queue, warehouse{}, consumer.Config{})
	if err != nil {
		log.Print(err)
		return
	}
	if err := c.Run(ctx); err != nil { // until ctx ends, and what runs is settled
		log.Print(err)
	}
}
