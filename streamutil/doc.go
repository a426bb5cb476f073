// Package streamutil keeps a shop's orders in a Redis stream and decides, in
// one atomic script a step, what happens to them.
//
// It is the only package that knows the keys of a queue and the commands of
// Redis. It neither logs nor reads configuration: it returns values and errors.
//
// The words, as every package uses them:
//
//   - order: the JSON document that a shop submits, identified by its order id
//   - queue: one stream with one consumer group, one partner API and one pace
//   - entry: an order's place in the stream, with its Redis entry ID
//   - waiting, in flight, parked: not yet taken; taken by a consumer; pending
//     with a due time
//   - delivered, dead, cancelled: the final states
//   - pace, slot: the least time between the starts of two calls of a queue
//     over all processes; one permission to start
//   - attempt: one call handed out for an order, numbered from 1
//   - outcome: what an attempt meant
//   - epoch: the time since the queue last may have forgotten something; named
//     by a nonce that is never used twice
//
// An entry stays in the stream from acceptance to its final state. Parking is
// an index beside the stream (a sorted set of due times) and a pending mark
// under the pseudo-consumer "parked", so a real consumer's pending list is
// exactly what it has in flight.
//
// Every method may be called from several goroutines at once.
package streamutil
