package ops_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestStatusTellsWhatWasDeliveredLately(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	recent := func() string { return cells(d.must("status"))["recent"] }
	if got := recent(); got != "last minute 0 delivered, 0 failed; last delivery not in the log" {
		t.Errorf("a queue nobody has used: %q", got)
	}
	d.orders()
	got := recent()
	if !strings.HasPrefix(got, "last minute 1 delivered, 3 failed; last delivery ") || !strings.HasSuffix(got, " ago)") {
		t.Errorf("one delivered, one rejected, two failed: %q", got)
	}
}

// What is older than a minute is not counted, and the last delivery is found
// behind it; what the log does not reach is not made up.
func TestStatusReachesAsFarAsTheLog(t *testing.T) {
	for _, tt := range []struct {
		name, script, want string
	}{
		{"older", `for i = 1, 600 do add(120000, 'delivered') end add(30000, 'failed')`, "last minute 0 delivered, 1 failed; last delivery 2"},
		{"a deep one", `add(120000, 'delivered') for i = 1, 900 do add(100000, 'failed') end`, "last minute 0 delivered, 0 failed; last delivery 2"},
		{"many within a minute", `for i = 1, 1500 do add(10000, 'delivered') end`, "last 10 s 1000 delivered, 0 failed; last delivery 2"},
		{"no attempts", `redis.call('XADD', KEYS[1], '*', 'what', 'pause')`, "last minute 0 delivered, 0 failed; last delivery not in the log"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, redistest.Shared(t).Addr())
			redistest.Shared(t).CLI("EVAL", `local t = redis.call('TIME') local now, n = t[1] * 1000 + math.floor(t[2] / 1000), 0
				local function add(ago, outcome) n = n + 1
					redis.call('XADD', KEYS[1], string.format('%.0f-%d', now - ago, n), 'what', 'attempt', 'order', 'X', 'outcome', outcome) end
				`+tt.script, "1", "orderq:{"+d.queue+"}:log")
			if got := cells(d.must("status"))["recent"]; !strings.HasPrefix(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestStatusTellsWhoSetThePace(t *testing.T) {
	d := newDesk(t, redistest.Shared(t).Addr())
	d.enqueue(1)
	d.take("c1")
	d.must("pace", "30/m", "--for", "1h", "--reason", "they asked")
	got := cells(d.must("status"))["pace"]
	if !strings.HasPrefix(got, "30/m, set by anna@shop-1 for another 59 min") || !strings.HasSuffix(got, " UTC: they asked (the consumers' own: 1/s)") {
		t.Errorf("pace %q", got)
	}
	var doc struct {
		Override struct {
			By, Reason string
			Until      time.Time
		} `json:"pace_override"`
		Base string `json:"base_pace"`
	}
	if err := json.Unmarshal([]byte(d.must("status", "-o", "json")), &doc); err != nil {
		t.Fatal(err)
	}
	if o := doc.Override; o.By != "anna@shop-1" || o.Reason != "they asked" || o.Until.IsZero() || doc.Base != streamutil.Every(time.Second).String() {
		t.Errorf("%+v", doc)
	}
}
