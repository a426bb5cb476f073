// Package producer takes orders in over HTTP and says where they are.
//
// [New] gives an [http.Handler] to mount in any server:
//
//	POST   /v1/orders        takes one order: 202, or a problem that says why not
//	POST   /v1/orders:batch  takes up to 1,000 orders in up to 16 MiB, as a JSON
//	                         array or one a line (NDJSON): 200 and a verdict on each
//	GET    /v1/orders/{id}   says where an order is: 200 or 404
//	DELETE /v1/orders/{id}   cancels an order that waits or is parked: 200 or 409
//	GET    /v1/queue         says how the queue is doing
//	GET    /livez            200 while the process runs
//	GET    /readyz           200 while Redis takes writes, as durably as was asked,
//	                         and the process is not draining
//	GET    /openapi.yaml     describes all of this (OpenAPI 3.1)
//	GET    /orderModule.js   the browser module; orderModule.classic.js is for a
//	                         script element of the old kind, orderModule.d.ts its types
//	GET    /                 an order page, unless there are tokens ([Config.Page])
//
// A 202 is a promise: the order is in Redis, as durably as its receipt says, and
// will be delivered or end where a person can see it. Any other answer, or none,
// promises nothing; to submit the same order again is always safe and gives the
// first result.
//
// # Who may call
//
// Without [Config.Tokens] everybody may do everything but see the partner's own
// words. With them a request needs a bearer token (RFC 6750) whose scopes cover
// it: submit for POST, read for GET, cancel for DELETE and to see the start of
// the partner's answer. Probes and the API's description are open.
//
// Pages of other origins may call only if [Config.AllowedOrigins] has theirs,
// exactly; browsers are told so (CORS), and what they send all the same is
// refused unread (see [http.CrossOriginProtection]).
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
// seconds of the request's last byte; a batch is refused as a whole with one if
// none of its orders could be taken.
package producer
