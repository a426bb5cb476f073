package consumer

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"orderq/streamutil"
)

// Accepted says which answers mean that the partner has the order.
type Accepted []statusRange

type statusRange struct{ low, high int }

// ParseAccepted reads HTTP statuses such as "2xx" and "409". 2xx always counts,
// named or not.
func ParseAccepted(list []string) (Accepted, error) {
	accepted := Accepted{{200, 299}}
	for _, s := range list {
		text := strings.TrimSpace(s)
		if class, ok := strings.CutSuffix(text, "xx"); ok && len(class) == 1 && class >= "2" && class <= "5" {
			low := int(class[0]-'0') * 100
			accepted = append(accepted, statusRange{low, low + 99})
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 200 || n > 599 {
			return nil, fmt.Errorf("status %q: want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx", s)
		}
		accepted = append(accepted, statusRange{n, n})
	}
	return accepted, nil
}

func (a Accepted) has(status int) bool {
	for _, r := range a {
		if status >= r.low && status <= r.high {
			return true
		}
	}
	return false
}

// Classify says what a partner's answer means for the order. retryAfter is
// whether the answer carried a valid Retry-After header (RFC 9110, section
// 10.2.3), whatever it asked for.
func Classify(status int, retryAfter bool, accepted Accepted) streamutil.Outcome {
	switch {
	case accepted.has(status):
		return streamutil.OutcomeDelivered
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && retryAfter:
		return streamutil.OutcomeThrottled
	}
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return streamutil.OutcomeUnavailable
	case http.StatusUnauthorized, http.StatusForbidden:
		return streamutil.OutcomeUnauthorized
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly:
		return streamutil.OutcomeFailed
	}
	if status >= 500 {
		return streamutil.OutcomeFailed
	}
	return streamutil.OutcomeRejected
}
