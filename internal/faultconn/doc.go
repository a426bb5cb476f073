// Package faultconn stands between a client and a real Redis and breaks what
// passes on purpose: it eats a reply after Redis did the work, cuts before the
// work, delays, refuses. It reads RESP2 and RESP3, so that a fault hits exactly
// the command it is meant for, in a pipeline too.
//
// It pairs replies with commands by counting. Commands without a reply of
// their own (SUBSCRIBE in RESP3, CLIENT REPLY OFF) are not understood.
package faultconn
