package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"orderq/streamutil"
)

// setback is why orders were not taken that may be taken later.
type setback struct {
	what  string
	after time.Duration // what the answer asked to wait; 0: nothing
}

// Error implements error.
func (s *setback) Error() string { return s.what }

// verdict is what became of one order.
type verdict struct {
	OrderID   *string          `json:"order_id"`
	Status    int              `json:"status"`
	State     streamutil.State `json:"state"`
	Duplicate bool             `json:"duplicate"`
	Problem   *problem         `json:"problem"`
}

// problem is the part of a problem document (RFC 9457) that is shown.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// maxShown is how many fields of a rejected order are named.
const maxShown = 5

// String names the fields that are wrong, or else what is.
func (p *problem) String() string {
	if p == nil {
		return ""
	}
	var parts []string
	for i, e := range p.Errors {
		if i == maxShown {
			parts = append(parts, fmt.Sprintf("and %d more", len(p.Errors)-i))
			break
		}
		parts = append(parts, e.Pointer+" "+e.Detail)
	}
	if parts == nil {
		return strings.TrimPrefix(p.Title+": "+p.Detail, ": ")
	}
	return strings.Join(parts, "; ")
}

// passing reports whether an order or a request with this status may be taken
// when it is sent again.
func passing(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// results are the verdicts on the orders of a request, in their order, and the
// durability that was reached.
type results struct {
	Results    []verdict `json:"results"`
	Durability string    `json:"durability"`
}

// send submits a chunk: one order that must go by itself, or others. It fails with a *setback if it may be sent again.
func (s *submitter) send(ctx context.Context, chunk []submission) (results, error) {
	if chunk[0].byItself() {
		return s.sendOne(ctx, chunk[0])
	}
	var b bytes.Buffer
	for _, order := range chunk {
		b.Write(order.body)
		b.WriteByte('\n')
	}
	a, err := s.post(ctx, "/v1/orders:batch", "application/x-ndjson", b.Bytes())
	if err != nil {
		return results{}, err
	}
	if a.status != http.StatusOK {
		return results{}, s.refusal(a)
	}
	var r results
	if json.Unmarshal(a.body, &r) != nil || !r.tellOf(chunk) {
		return results{}, s.stranger("its answer does not tell what became of each order")
	}
	return r, nil
}

// tellOf reports whether these are what a producer says of these orders. A server of
// another kind may be polite to everybody: only a receipt counts as one.
func (r results) tellOf(orders []submission) bool {
	if len(r.Results) != len(orders) {
		return false
	}
	for i, v := range r.Results {
		switch {
		case v.Status == http.StatusAccepted:
			durability, err := streamutil.ParseDurability(r.Durability)
			if err != nil || r.Durability != durability.String() || v.OrderID == nil || !orders[i].mayHave(*v.OrderID) {
				return false
			}
		case v.Status < http.StatusBadRequest, v.Problem == nil, !v.Problem.ofProducer():
			return false
		}
	}
	return true
}

// mayHave reports whether the id can be the order's. Under which key of it the id
// stands only the producer knows for sure.
func (s submission) mayHave(id string) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(s.body, &members) != nil {
		return orderID.MatchString(id)
	}
	for _, text := range members {
		var value string
		if json.Unmarshal(text, &value) == nil && value == id {
			return true
		}
	}
	return false
}

// sendOne submits an order in a request of its own.
func (s *submitter) sendOne(ctx context.Context, order submission) (results, error) {
	a, err := s.post(ctx, "/v1/orders", "application/json", order.body)
	if err != nil {
		return results{}, err
	}
	switch a.status {
	case http.StatusAccepted:
		r, v := results{}, verdict{}
		err := errors.Join(json.Unmarshal(a.body, &v), json.Unmarshal(a.body, &r))
		v.Status = a.status
		r.Results = []verdict{v}
		if err != nil || !r.tellOf([]submission{order}) {
			return results{}, s.stranger("its answer does not tell what became of the order")
		}
		return r, nil
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		if p := a.problem(); p != nil { // it speaks of the order
			return results{Results: []verdict{{Status: a.status, Problem: p}}}, nil
		}
	}
	return results{}, s.refusal(a)
}

// problem is the document of a producer; nil for the answer of anything else.
func (a answer) problem() *problem {
	var p problem
	if json.Unmarshal(a.body, &p) != nil || !p.ofProducer() {
		return nil
	}
	return &p
}

func (p *problem) ofProducer() bool { return strings.HasPrefix(p.Type, "urn:orderq:problem:") }

// refusal words an answer that is about the whole request.
func (s *submitter) refusal(a answer) error {
	if a.status >= 200 && a.status < 300 {
		return s.stranger(fmt.Sprintf("it answers %d %s", a.status, http.StatusText(a.status)))
	}
	text := fmt.Sprintf("%s answers %d %s", s.shown, a.status, http.StatusText(a.status))
	if detail := a.problem().String(); detail != "" {
		text += ": " + brief(detail)
	}
	switch {
	case passing(a.status):
		return &setback{what: text, after: retryAfter(a.header)}
	case a.status == http.StatusUnauthorized && s.token == "":
		text += "; name the file with your token: --token-file FILE"
	case a.status == http.StatusUnauthorized:
		text += "; it does not know the token in --token-file"
	case a.status == http.StatusForbidden:
		text += "; it takes a token with the scope submit: --token-file FILE"
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed:
		text += "; is it the address of a producer? see --url"
	case a.status >= 300 && a.status < 400:
		text += " and another address, which is not followed; give the right one with --url"
	}
	return fmt.Errorf("%s", text)
}

// retryAfter reads the header of that name: seconds, or a date, which is
// compared with the answer's own, so that no two clocks are.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), 365*24*3600)) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(until.Sub(now), 0)
}

// brief bounds what a stranger may have written to a line.
func brief(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
