package consumer

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	const year = 365 * 24 * time.Hour
	const date = "Sun, 06 Nov 1994 08:49:37 GMT"
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		name, header, date string
		want               time.Duration
		asked              bool
	}{
		{"seconds", "120", "", 2 * time.Minute, true},
		{"spaces", " 5 ", "", 5 * time.Second, true},
		{"leading zeros", "007", "", 7 * time.Second, true},
		{"at once", "0", "", 0, true},
		{"a year", "31536000", "", year, true},
		{"more than a year", "31536001", "", year, true},
		{"more than a duration holds", "9223372037", "", year, true},
		{"more than a number holds", "1" + strings.Repeat("0", 30), "", year, true},

		{"a date", "Sun, 06 Nov 1994 08:50:07 GMT", date, 30 * time.Second, true},
		{"a date of RFC 850", "Sunday, 06-Nov-94 08:50:07 GMT", date, 30 * time.Second, true},
		{"a date of asctime", "Sun Nov  6 08:50:07 1994", date, 30 * time.Second, true},
		{"the moment itself", date, date, 0, true},
		{"a date that has passed", "Sun, 06 Nov 1994 08:49:36 GMT", date, 0, true},
		{"a date far ahead", "Fri, 31 Dec 9999 23:59:59 GMT", date, year, true},
		{"a date far back", "Mon, 01 Jan 0001 00:00:00 GMT", date, 0, true},
		{"a date, no Date", "Fri, 02 Jan 2026 03:05:05 GMT", "", time.Minute, true},
		{"a date, a Date that is none", "Fri, 02 Jan 2026 03:05:05 GMT", "today", time.Minute, true},
		{"seconds need no Date", "5", "today", 5 * time.Second, true},

		{"none", "", "", 0, false},
		{"spaces only", "  ", "", 0, false},
		{"a word", "later", "", 0, false},
		{"negative", "-5", "", 0, false},
		{"signed", "+5", "", 0, false},
		{"a fraction", "1.5", "", 0, false},
		{"a unit", "5s", "", 0, false},
		{"two values", "5, 10", "", 0, false},
		{"other digits", "٥", "", 0, false},
		{"another date form", "2026-01-02T03:05:05Z", "", 0, false},
		{"hexadecimal", "0x10", "", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := http.Header{}
			if tc.header != "" {
				h.Set("Retry-After", tc.header)
			}
			if tc.date != "" {
				h.Set("Date", tc.date)
			}
			if wait, asked := retryAfter(h, now); wait != tc.want || asked != tc.asked {
				t.Errorf("retryAfter(%q) = %v, %t; want %v, %t", tc.header, wait, asked, tc.want, tc.asked)
			}
		})
	}
}
