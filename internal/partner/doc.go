// Package partner is a simulated partner API: an [http.Handler] that takes
// orders, answers as it is told to, and remembers every call. [Check] then says
// whether the calls keep what orderq promises a partner.
//
// It serves tests and "orderq dev" alike.
package partner
