package streamutil

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Grace (W) is how late a start may be: the longest time between sending a
// take and starting the call it allows. An unconfirmed slot is blocked for
// this much longer than a confirmed one.
const Grace = 200 * time.Millisecond

// MaxInterval is the slowest pace: one call a day.
const MaxInterval = 24 * time.Hour

// Pace is how often a queue may start a call. The zero value is unlimited.
type Pace struct {
	interval time.Duration
	text     string
}

// Unlimited is the pace without slots.
var Unlimited = Pace{text: "unlimited"}

// Every is the pace of one call per interval, which is rounded up to whole
// microseconds; an interval of zero or less is unlimited.
func Every(interval time.Duration) Pace {
	if interval <= 0 {
		return Unlimited
	}
	us := (interval + time.Microsecond - 1) / time.Microsecond
	return Pace{interval: us * time.Microsecond}
}

// ParsePace reads "1/s", "30/m", "2500/h" or "unlimited". The number may have
// a decimal point. Paces slower than one a day or faster than one a
// microsecond are errors.
func ParsePace(s string) (Pace, error) {
	text := strings.TrimSpace(s)
	if text == "unlimited" {
		return Unlimited, nil
	}
	number, unit, _ := strings.Cut(text, "/")
	per, ok := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || math.IsNaN(n) || n <= 0 {
		return Pace{}, fmt.Errorf("pace %q: want NUMBER/s, NUMBER/m, NUMBER/h or unlimited, such as 1/s or 30/m", s)
	}
	interval := float64(per) / n
	if interval > float64(MaxInterval) {
		return Pace{}, fmt.Errorf("pace %q: slower than one a day", s)
	}
	if interval < float64(time.Microsecond) {
		return Pace{}, fmt.Errorf("pace %q: faster than one a microsecond; say unlimited", s)
	}
	p := Every(time.Duration(math.Ceil(interval)))
	p.text = text
	return p, nil
}

// Interval is the least time between two starts; zero is unlimited.
func (p Pace) Interval() time.Duration { return p.interval }

// IsUnlimited reports whether the pace has no slots.
func (p Pace) IsUnlimited() bool { return p.interval == 0 }

// String gives the pace as it was written, or in the largest unit that says it
// in at least one call: "1/s", "30/m", "2500/h", "unlimited".
func (p Pace) String() string {
	if p.text != "" {
		return p.text
	}
	if p.interval == 0 {
		return Unlimited.text
	}
	for _, u := range []struct {
		name string
		per  time.Duration
	}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}} {
		if n := float64(u.per) / float64(p.interval); n >= 0.9999 {
			return strconv.FormatFloat(math.Round(n*1000)/1000, 'f', -1, 64) + "/" + u.name
		}
	}
	return strconv.FormatFloat(float64(time.Hour)/float64(p.interval), 'g', 3, 64) + "/h"
}

// MarshalText implements [encoding.TextMarshaler].
func (p Pace) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *Pace) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		return errors.New("pace is empty: want 1/s, 30/m, 2500/h or unlimited")
	}
	parsed, err := ParsePace(string(b))
	*p = parsed
	return err
}
