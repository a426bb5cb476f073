package streamutil

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/rueidis"
)

// What a caller can decide on. Errors of this package match them with
// [errors.Is].
var (
	// ErrUnavailable: Redis is away, loading, read-only or refuses us. Nothing
	// is known to have been done; every method may be called again.
	ErrUnavailable = errors.New("redis is not available")
	// ErrMemory: Redis is out of memory and took nothing in.
	ErrMemory = errors.New("redis is out of memory")
	// ErrReplicas: Redis takes no writes since too few replicas keep up with it
	// (min-replicas-to-write). Such an error is an ErrUnavailable, too.
	ErrReplicas = errors.New("too few replicas keep up with redis")
	// ErrSchema: a newer orderq has changed the form of the queue; this one must be
	// upgraded and does nothing until then. Such an error is an ErrUnavailable, too.
	ErrSchema = errors.New("the queue has the form of a newer orderq")
	// ErrNotConfirmed: the write was made, but not as durably as was asked for.
	// Call again: the same write is recognised and confirmed.
	ErrNotConfirmed = errors.New("the write was not confirmed as durable in time")
	// ErrDurability: the server can never give the durability asked for.
	ErrDurability = errors.New("the server cannot give the durability asked for")
	// ErrFull: the queue holds as many unfinished orders as it may.
	ErrFull = errors.New("the queue is full")
	// ErrConflict: the order id is known with another body.
	ErrConflict = errors.New("the order id is taken by another order")
	// ErrNotFound: no order, or no record of it any more.
	ErrNotFound = errors.New("no such order")
	// ErrGone: the consumer's name is not registered any more. What it holds is
	// another's now.
	ErrGone = errors.New("this consumer is no longer registered")
	// ErrStale: a later take of this consumer was there first.
	ErrStale = errors.New("a later take was there first")
)

// Kinds of trouble with Redis, as counted in orderq_redis_errors_total.
const (
	kindTimeout    = "timeout"
	kindConnection = "connection"
	kindAuth       = "auth"
	kindReadonly   = "readonly"
	kindReplicas   = "replicas"
	kindMemory     = "oom"
	kindNoScript   = "noscript"
	kindLoading    = "loading"
	kindSchema     = "schema"
	kindOther      = "other"
)

// ErrorKinds lists what [ErrorKind] can answer.
func ErrorKinds() []string {
	return []string{
		kindTimeout, kindConnection, kindAuth, kindReadonly, kindReplicas,
		kindMemory, kindNoScript, kindLoading, kindSchema, kindOther,
	}
}

// ErrorKind names the trouble with Redis behind an error; "" if there is none.
func ErrorKind(err error) string {
	if re, ok := errors.AsType[*redisError](err); ok {
		return re.kind
	}
	return ""
}

// redisError is what Redis, or the way to it, said instead of an answer.
type redisError struct {
	kind string
	err  error
}

func (e *redisError) Error() string { return e.err.Error() }
func (e *redisError) Unwrap() error { return e.err }

func (e *redisError) Is(target error) bool {
	switch target {
	case ErrMemory:
		return e.kind == kindMemory
	case ErrReplicas:
		return e.kind == kindReplicas
	case ErrSchema:
		return e.kind == kindSchema
	case ErrUnavailable:
		return e.kind != kindMemory && e.kind != kindOther
	}
	return false
}

// wrap says what was being done and classifies what Redis answered.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*redisError](err); !known && !isDomain(err) {
		err = &redisError{kind: classify(err), err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func isDomain(err error) bool {
	return errors.Is(err, ErrNotConfirmed) || errors.Is(err, ErrDurability)
}

// codes maps the first word of an error reply to its kind.
var codes = map[string]string{
	"OOM": kindMemory, "LOADING": kindLoading, "BUSY": kindLoading, "READONLY": kindReadonly,
	"MASTERDOWN": kindReadonly, "NOREPLICAS": kindReplicas, "MISCONF": kindReadonly,
	"CLUSTERDOWN": kindConnection, "TRYAGAIN": kindConnection, "UNBLOCKED": kindConnection,
	"NOSCRIPT": kindNoScript, "SCHEMA": kindSchema, "NOAUTH": kindAuth, "WRONGPASS": kindAuth, "NOPERM": kindAuth,
}

func classify(err error) string {
	if re, ok := rueidis.IsRedisErr(err); ok {
		return kindOf(re.Error())
	}
	netErr, isNet := errors.AsType[net.Error](err)
	if errors.Is(err, context.DeadlineExceeded) || (isNet && netErr.Timeout()) {
		return kindTimeout
	}
	return kindConnection
}

// kindOf classifies what Redis said.
func kindOf(text string) string {
	code, _, _ := strings.Cut(text, " ")
	if kind, ok := codes[code]; ok {
		return kind
	}
	// NOPERM of a command within a script comes without the word: as Redis 7.0
	// says it, and as later ones do.
	if strings.Contains(text, "user executing the script can't") || strings.HasPrefix(text, "ACL failure in script") {
		return kindAuth
	}
	return kindOther
}
