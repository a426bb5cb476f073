package streamutil

import (
	"context"
	"crypto/rand"
	"strconv"
	"time"
)

// QueueConfig says which queue, and its bounds. The zero value of a field
// stands for its default.
type QueueConfig struct {
	// Name is the queue's name: 1 to 64 of a-z, 0-9, _ and -. Default "orders".
	Name string
	// MaxBacklog is how many unfinished orders the queue takes before it
	// refuses. Default 1,000,000.
	MaxBacklog int64
	// MaxInFlight is how many calls may run at once over all consumers.
	// Default 10; 1 means the next call only after the last was settled.
	MaxInFlight int
	// Retention is how long a finished order's record can be looked up, and a
	// repeated submission is recognised. Default 72 hours.
	Retention time.Duration
	// LogMax is about how many lines of outcomes and operators' acts are kept.
	// Default 10,000.
	LogMax int64
}

func (c QueueConfig) withDefaults() QueueConfig {
	if c.Name == "" {
		c.Name = DefaultQueue
	}
	if c.MaxBacklog <= 0 {
		c.MaxBacklog = 1_000_000
	}
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = 10
	}
	if c.Retention <= 0 {
		c.Retention = 72 * time.Hour
	}
	if c.LogMax <= 0 {
		c.LogMax = 10_000
	}
	return c
}

// Queue is one queue in Redis. Its methods are safe for concurrent use; each
// ends within a few seconds, whatever its context says.
type Queue struct {
	client *Client
	cfg    QueueConfig
	keys   keys

	gathering gathering
}

// NewQueue names a queue behind a client; it does not talk to Redis yet.
// It fails only if the name is not a queue's name.
func NewQueue(client *Client, cfg QueueConfig) (*Queue, error) {
	cfg = cfg.withDefaults()
	if err := checkQueueName(cfg.Name); err != nil {
		return nil, err
	}
	return &Queue{client: client, cfg: cfg, keys: newKeys(cfg.Name)}, nil
}

// Name is the queue's name.
func (q *Queue) Name() string { return q.cfg.Name }

// MaxInFlight is how many calls may run at once over all consumers.
func (q *Queue) MaxInFlight() int { return q.cfg.MaxInFlight }

// Retention is how long a finished order is known.
func (q *Queue) Retention() time.Duration { return q.cfg.Retention }

// Redis says where the queue is, for people.
func (q *Queue) Redis() string { return q.client.Addr() }

// TLS is whether the connection is to be encrypted.
func (q *Queue) TLS() bool { return q.client.cfg.TLS != nil }

// Ping asks whether Redis is there and takes writes, and the queue has a form that
// this program knows.
//
// Errors: [ErrUnavailable], [ErrSchema].
func (q *Queue) Ping(ctx context.Context) error {
	if err := q.client.Ping(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	rdb, err := q.client.connection(ctx)
	if err != nil {
		return wrap("ping", err)
	}
	form, err := rdb.Do(ctx, rdb.B().Hget().Key(q.keys.control).Field("schema").Build()).ToString()
	if err != nil && !isNil(err) {
		return wrap("ping", err)
	}
	return wrap("ping", knownForm(form))
}

// args puts before a consumer script's own arguments what lib.lua expects: a
// name for the next epoch that was never used before, and the log's length.
func (q *Queue) args(own ...string) []string {
	return append([]string{rand.Text(), strconv.FormatInt(q.cfg.LogMax, 10)}, own...)
}
