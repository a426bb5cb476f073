package ops

import (
	"testing"
	"time"
)

func TestSpanSaysDurationsAsPeopleDo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                  "0 s",
		0:                             "0 ms",
		350 * time.Millisecond:        "350 ms",
		3900 * time.Millisecond:       "3.9 s",
		12 * time.Second:              "12 s",
		250 * time.Second:             "4 min 10 s",
		3*time.Hour + 12*time.Minute:  "3 h 12 min",
		53*time.Hour + 59*time.Minute: "2 d 5 h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestSecondsAreWholeMilliseconds(t *testing.T) {
	if got := seconds(3962 * time.Millisecond); got != 3.962 {
		t.Errorf("seconds: %v", got)
	}
}
