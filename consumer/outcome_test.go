package consumer

import (
	"testing"

	"orderq/streamutil"
)

// TestClassify holds every row of what an answer means.
func TestClassify(t *testing.T) {
	for _, tc := range []struct {
		status     int
		retryAfter bool
		accept     string
		want       streamutil.Outcome
	}{
		{200, false, "", streamutil.OutcomeDelivered},
		{202, true, "", streamutil.OutcomeDelivered},
		{299, false, "", streamutil.OutcomeDelivered},
		{409, false, "409", streamutil.OutcomeDelivered},
		{404, false, "4xx", streamutil.OutcomeDelivered},
		{429, true, "429", streamutil.OutcomeDelivered},

		{429, false, "", streamutil.OutcomeThrottled},
		{429, true, "", streamutil.OutcomeThrottled},
		{503, true, "", streamutil.OutcomeThrottled},

		{502, false, "", streamutil.OutcomeUnavailable},
		{502, true, "", streamutil.OutcomeUnavailable},
		{503, false, "", streamutil.OutcomeUnavailable},
		{504, false, "", streamutil.OutcomeUnavailable},

		{408, false, "", streamutil.OutcomeFailed},
		{409, false, "", streamutil.OutcomeFailed},
		{425, false, "", streamutil.OutcomeFailed},
		{500, false, "", streamutil.OutcomeFailed},
		{500, true, "", streamutil.OutcomeFailed},
		{501, false, "", streamutil.OutcomeFailed},
		{599, false, "", streamutil.OutcomeFailed},

		{401, false, "", streamutil.OutcomeUnauthorized},
		{403, false, "", streamutil.OutcomeUnauthorized},

		{101, false, "", streamutil.OutcomeRejected},
		{301, false, "", streamutil.OutcomeRejected},
		{304, false, "", streamutil.OutcomeRejected},
		{400, false, "", streamutil.OutcomeRejected},
		{404, false, "", streamutil.OutcomeRejected},
		{410, true, "", streamutil.OutcomeRejected},
		{422, false, "", streamutil.OutcomeRejected},
	} {
		var list []string
		if tc.accept != "" {
			list = []string{tc.accept}
		}
		accepted, err := ParseAccepted(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := Classify(tc.status, tc.retryAfter, accepted); got != tc.want {
			t.Errorf("%d, Retry-After %t, accept %q: %s, want %s", tc.status, tc.retryAfter, tc.accept, got, tc.want)
		}
	}
}

func TestParseAccepted(t *testing.T) {
	for _, tc := range []struct {
		name    string
		list    []string
		yes, no []int
		err     string
	}{
		{"nothing", nil, []int{200, 299}, []int{199, 300, 409}, ""},
		{"a class", []string{"4xx"}, []int{200, 400, 499}, []int{399, 500}, ""},
		{"numbers", []string{"2xx", " 409 ", "304"}, []int{204, 304, 409}, []int{303, 408, 410}, ""},
		{"too low", []string{"199"}, nil, nil, `status "199": want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx`},
		{"too high", []string{"600"}, nil, nil, `status "600": want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx`},
		{"no such class", []string{"6xx"}, nil, nil, `status "6xx": want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx`},
		{"no class", []string{"1xx"}, nil, nil, `status "1xx": want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx`},
		{"a word", []string{"ok"}, nil, nil, `status "ok": want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx`},
		{"empty", []string{""}, nil, nil, `status "": want a number of 200 to 599, or 2xx, 3xx, 4xx, 5xx`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			accepted, err := ParseAccepted(tc.list)
			if got := text(err); got != tc.err {
				t.Fatalf("error %q, want %q", got, tc.err)
			}
			for _, status := range tc.yes {
				if !accepted.has(status) {
					t.Errorf("%d does not count", status)
				}
			}
			for _, status := range tc.no {
				if accepted.has(status) {
					t.Errorf("%d counts", status)
				}
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
