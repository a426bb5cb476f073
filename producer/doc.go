// Package producer takes orders in over HTTP and says where they are.
//
// [New] gives an [http.Handler] to mount in any server:
//
//	POST /v1/orders       takes one order: 202, or a problem that says why not
//	GET  /v1/orders/{id}  says where an order is: 200 or 404
//	GET  /livez           200 while the process runs
//	GET  /readyz          200 while Redis answers and the process is not draining
//
// A 202 is a promise: the order is in Redis, as durably as configured, and will
// be delivered or end where a person can see it. Any other answer, or none,
// promises nothing; to submit the same order again is always safe and gives the
// first result.
//
// # What is checked
//
// An order is one JSON object in UTF-8 of at most [Config.MaxBody] bytes and
// 100 levels of nesting. Duplicate keys (compared after their escapes are
// resolved), trailing data and unpaired surrogates are refused; key names are
// compared exactly, so "Order_ID" is the shop's own. What is stored and sent on
// is the exact bytes that came in.
//
// The fields below are checked where present, all of them at once. null is a
// value of the wrong type; leave a field out to say nothing. Everything else is
// the shop's own and passes through.
//
//	order_id        1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit
//	amount          decimal string or number, not negative
//	currency        ISO 4217 in capitals; required with amount
//	items           1 to 500 objects, each with
//	  sku, name       text of 1 to 512 characters; one of them at least
//	  quantity        number, at least 1
//	  price,
//	  unit_price      as amount
//	customer_id     text of 1 to 128 characters, or a number
//	email           address of at most 254 characters
//	phone           3 to 32 of digits, space and + - ( ) # .
//	created_at      RFC 3339
//
// Without order_id in the body, the header Idempotency-Key (with or without
// quotes) is the order's id. With both, the body's id counts and the header is
// not looked at: a client library may add a key of its own to every request.
//
// # Errors
//
// Errors are problem documents (RFC 9457). They name fields by JSON pointer and
// never repeat what was sent. A 503 carries Retry-After and comes within two
// seconds of the request's last byte.
package producer
