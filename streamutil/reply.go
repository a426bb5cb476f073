package streamutil

import (
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// reply reads a script's array from front to back. The first thing that is not
// as expected is kept in err; what is read after it is zero.
type reply struct {
	script string
	values []rueidis.RedisMessage
	err    error
	// reached is the durability of what the script wrote, if it was to be confirmed.
	reached Durability
}

func (r *reply) next() (rueidis.RedisMessage, bool) {
	if r.err == nil && len(r.values) == 0 {
		r.err = fmt.Errorf("%s: reply ends early", r.script)
	}
	if r.err != nil {
		return rueidis.RedisMessage{}, false
	}
	v := r.values[0]
	r.values = r.values[1:]
	return v, true
}

func (r *reply) text() string {
	v, ok := r.next()
	if !ok {
		return ""
	}
	s, err := v.ToString()
	r.fail(err)
	return s
}

func (r *reply) int() int64 {
	v, ok := r.next()
	if !ok {
		return 0
	}
	n, err := v.AsInt64()
	r.fail(err)
	return n
}

// micros and millis read durations; a negative one means there is none.
func (r *reply) micros() time.Duration { return time.Duration(r.int()) * time.Microsecond }
func (r *reply) millis() time.Duration { return time.Duration(r.int()) * time.Millisecond }

func (r *reply) list() []*reply {
	v, ok := r.next()
	if !ok {
		return nil
	}
	items, err := v.ToArray()
	r.fail(err)
	lists := make([]*reply, 0, len(items))
	for _, item := range items {
		values, err := item.ToArray()
		r.fail(err)
		lists = append(lists, &reply{script: r.script, values: values})
	}
	return lists
}

// nested reads an array within the array.
func (r *reply) nested() *reply {
	v, ok := r.next()
	if !ok {
		return &reply{script: r.script, err: r.err}
	}
	values, err := v.ToArray()
	r.fail(err)
	return &reply{script: r.script, values: values, err: r.err, reached: r.reached}
}

func (r *reply) strings() map[string]string {
	v, ok := r.next()
	if !ok {
		return nil
	}
	m, err := v.AsStrMap()
	r.fail(err)
	return m
}

func (r *reply) fail(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: read reply: %w", r.script, err)
	}
}

// done returns the first error of the whole reading, of nested replies too.
func (r *reply) done(nested ...*reply) error {
	for _, n := range append(nested, r) {
		if n.err != nil {
			return wrap("redis", n.err)
		}
	}
	return nil
}

// ms is how scripts are told a duration.
func ms(d time.Duration) string { return itoa(d.Milliseconds()) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func isNil(err error) bool { return rueidis.IsRedisNil(err) }

func arrayOf(m rueidis.RedisMessage) []rueidis.RedisMessage {
	values, _ := m.ToArray() // an empty one fails in the reading
	return values
}
