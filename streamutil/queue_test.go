package streamutil_test

import (
	"strings"
	"testing"

	"orderq/streamutil"
)

func TestQueueNames(t *testing.T) {
	client := streamutil.NewClient(streamutil.ClientConfig{})
	for name, ok := range map[string]bool{
		"": true, "orders": true, "a": true, "a-b_9": true, strings.Repeat("a", 64): true,
		strings.Repeat("a", 65): false, "Orders": false, "a b": false, "a}": false, "ä": false, "a\n": false,
	} {
		q, err := streamutil.NewQueue(client, streamutil.QueueConfig{Name: name})
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if name == "" && q.Name() != "orders" {
			t.Errorf("without a name it is %q", q.Name())
		}
	}
}

func TestQueueDefaults(t *testing.T) {
	q, err := streamutil.NewQueue(streamutil.NewClient(streamutil.ClientConfig{}), streamutil.QueueConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if q.Redis() != "redis 127.0.0.1:6379 db 0" {
		t.Errorf("at %s", q.Redis())
	}
}
