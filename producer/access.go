package producer

import (
	"net/http"
	"time"

	"github.com/rs/cors"

	"orderq/metrics"
)

// call is an endpoint of the API proper: its caller is known, and may do this.
type call func(http.ResponseWriter, *http.Request, caller) *problem

// with lets in those who may: whose token has the scope, who stay within their
// rate, and no more at once than there are places.
func (h *Handler) with(s scope, next call) endpoint {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		who, known := h.identify(r)
		client := clientOf(who, r)
		// The unknown are counted too, so that guessing is slow.
		if wait, ok := h.clients.admit(client); !ok {
			return problemRateLimited(wait)
		}
		switch {
		case !known:
			w.Header().Set("WWW-Authenticate", `Bearer realm="orderq"`)
			return newProblem(http.StatusUnauthorized, "unauthorized", "Who are you?",
				"this needs a token that is known here, as in Authorization: Bearer TOKEN").counted(metrics.RejectedUnauthorized)
		case !who.may(s):
			return newProblem(http.StatusForbidden, "forbidden", "Not with this token",
				"this needs a token with the scope "+string(s)).counted(metrics.RejectedForbidden)
		}
		return h.places.serve(client, func() *problem { return next(w, r, who) })
	}
}

// clientOf names who shares places and rates with nobody else: a page's token has
// many clients.
func clientOf(who caller, r *http.Request) string { return who.name + " " + address(r) }

// identify gives who sends the request; it is not known only if it should be.
func (h *Handler) identify(r *http.Request) (who caller, known bool) {
	if h.cfg.Tokens == nil {
		return caller{scopes: allScopes}, true
	}
	return h.cfg.Tokens().holder(r.Header.Get("Authorization"))
}

// taking refuses new orders once this process is going down.
func (h *Handler) taking(next endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		if h.draining.Load() {
			return problemDraining().counted(metrics.RejectedDraining)
		}
		return next(w, r)
	}
}

func problemRateLimited(wait time.Duration) *problem {
	return newProblem(http.StatusTooManyRequests, "rate-limited", "Too many requests from you",
		"this client sends more requests than it may; see Retry-After").
		counted(metrics.RejectedRateLimited).retryIn(wholeSeconds(wait))
}

// preflightAge is how long a browser may remember what it may send: Chromium
// takes no more.
const preflightAge = 2 * time.Hour

// fromBrowsers lets pages of the allowed origins call, and no others: CORS (Fetch
// standard) tells the browser who may read answers, and what a page of another
// origin sends all the same is refused unread.
func (h *Handler) fromBrowsers(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	for _, origin := range h.cfg.AllowedOrigins {
		_ = protection.AddTrustedOrigin(origin) // validate has tried it
	}
	protection.SetDenyHandler(h.answer(elsewhere, func(http.ResponseWriter, *http.Request) *problem {
		return newProblem(http.StatusForbidden, "cross-origin", "Not from this page",
			"a page of this origin may not call here")
	}))
	next = protection.Handler(next)
	if len(h.cfg.AllowedOrigins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: h.cfg.AllowedOrigins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Idempotency-Key", "Traceparent", headerRequestID},
		ExposedHeaders: []string{"Location", "Retry-After", "Idempotent-Replayed", headerRequestID},
		MaxAge:         int(preflightAge.Seconds()),
	}).Handler(next)
}
