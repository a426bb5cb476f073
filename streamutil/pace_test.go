package streamutil_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"orderq/streamutil"
)

func TestParsePace(t *testing.T) {
	for _, c := range []struct {
		text     string
		interval time.Duration
		written  string // as String gives it; "" for the text itself
	}{
		{"1/s", time.Second, ""},
		{" 1/s ", time.Second, "1/s"},
		{"30/m", 2 * time.Second, ""},
		{"2500/h", 1440 * time.Millisecond, ""},
		{"10/s", 100 * time.Millisecond, ""},
		{"0.5/s", 2 * time.Second, ""},
		{"3/s", 333334 * time.Microsecond, ""}, // rounded up: never faster
		{"1000000/s", time.Microsecond, ""},
		{"0.0417/h", 86330935252 * time.Microsecond, ""},
		{"unlimited", 0, ""},
	} {
		t.Run(c.text, func(t *testing.T) {
			p, err := streamutil.ParsePace(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if d := p.Interval() - c.interval; d < 0 || d > time.Millisecond {
				t.Errorf("an interval of %v, want %v", p.Interval(), c.interval)
			}
			if want := max(c.written, strings.TrimSpace(c.text)); p.String() != want {
				t.Errorf("written as %q, want %q", p, want)
			}
			if p.IsUnlimited() != (c.interval == 0) {
				t.Errorf("unlimited: %v", p.IsUnlimited())
			}
		})
	}
}

func TestParsePaceRefuses(t *testing.T) {
	for _, text := range []string{
		"", "1", "1/", "/s", "s", "1/d", "1/ms", "0/s", "-1/s", "NaN/s", "Inf/s", "1e400/s",
		"0.01/h", "2000000/s", "1 /s x", "unlimited/s", "Unlimited",
	} {
		if p, err := streamutil.ParsePace(text); err == nil {
			t.Errorf("%q was read as %v", text, p)
		} else if !strings.Contains(err.Error(), text) {
			t.Errorf("the error for %q does not show it: %v", text, err)
		}
	}
}

func TestEvery(t *testing.T) {
	for _, c := range []struct {
		interval time.Duration
		text     string
	}{
		{time.Second, "1/s"},
		{100 * time.Millisecond, "10/s"},
		{2 * time.Second, "30/m"},
		{time.Minute, "1/m"},
		{1440 * time.Millisecond, "41.667/m"},
		{time.Hour, "1/h"},
		{24 * time.Hour, "0.0417/h"},
		{0, "unlimited"},
		{-time.Second, "unlimited"},
	} {
		if got := streamutil.Every(c.interval).String(); got != c.text {
			t.Errorf("every %v is %q, want %q", c.interval, got, c.text)
		}
	}
	if got := streamutil.Every(1).Interval(); got != time.Microsecond {
		t.Errorf("a nanosecond became %v", got)
	}
	if (streamutil.Pace{}).String() != "unlimited" || !(streamutil.Pace{}).IsUnlimited() {
		t.Error("the zero value is not unlimited")
	}
}

func TestPaceAsText(t *testing.T) {
	var v struct{ Pace streamutil.Pace }
	if err := json.Unmarshal([]byte(`{"Pace":"30/m"}`), &v); err != nil || v.Pace.Interval() != 2*time.Second {
		t.Fatalf("%v %v", v, err)
	}
	if b, err := json.Marshal(v); err != nil || string(b) != `{"Pace":"30/m"}` {
		t.Errorf("%s %v", b, err)
	}
	if err := json.Unmarshal([]byte(`{"Pace":""}`), &v); err == nil {
		t.Error("an empty pace was read")
	}
}

func FuzzParsePace(f *testing.F) {
	for _, s := range []string{"1/s", "30/m", "unlimited", "1e3/h", "0x1p-2/s", "/", "9/s/s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := streamutil.ParsePace(s)
		if err != nil {
			return
		}
		if i := p.Interval(); i < 0 || i > streamutil.MaxInterval+time.Microsecond || (i == 0) != p.IsUnlimited() {
			t.Fatalf("%q: an interval of %v", s, i)
		}
		if again, err := streamutil.ParsePace(p.String()); err != nil || again.Interval() != p.Interval() {
			t.Fatalf("%q is written %q, which is %v, %v", s, p, again.Interval(), err)
		}
		// What people are shown of a bare interval says the same, nearly.
		if shown, err := streamutil.ParsePace(streamutil.Every(p.Interval()).String()); err == nil {
			if ratio := float64(shown.Interval()+1) / float64(p.Interval()+1); ratio < 0.98 || ratio > 1.02 {
				t.Fatalf("%v is shown as %v", p.Interval(), shown)
			}
		}
	})
}
