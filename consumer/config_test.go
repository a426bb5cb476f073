package consumer

import (
	"testing"
	"time"

	"orderq/streamutil"
)

func TestConfigDefaults(t *testing.T) {
	c := Config{}.withDefaults()
	if c.Pace.Interval() != time.Second || c.Lease != 15*time.Second || c.StopTimeout != 20*time.Second ||
		c.CallTimeout != 10*time.Second || c.OnUncertain != UncertainRetry || c.Logger == nil {
		t.Errorf("defaults: %+v", c)
	}
	if err := c.validate(); err != nil {
		t.Errorf("the defaults are wrong: %v", err)
	}
	unlimited := Config{Pace: &streamutil.Unlimited}.withDefaults()
	if !unlimited.Pace.IsUnlimited() {
		t.Errorf("unlimited became %v", unlimited.Pace)
	}
}

func TestConfigValidate(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"right", Config{Lease: time.Second, CallTimeout: 999 * ms, StopTimeout: time.Second}, ""},
		{"lease as long as a call", Config{Lease: 10 * time.Second}, "consumer: Lease (10s) must exceed CallTimeout (10s)"},
		{"stop as long as a call", Config{StopTimeout: 10 * time.Second}, "consumer: StopTimeout (10s) must exceed CallTimeout (10s)"},
		{"short lease", Config{Lease: 999 * ms, CallTimeout: 1}, "consumer: Lease (999ms) must be at least 1s"},
		{"negative", Config{CallTimeout: -1}, "consumer: CallTimeout (-1ns) must be above 0"},
		{"policy", Config{OnUncertain: "drop"}, "consumer: OnUncertain (drop) must be retry or dead"},
		{
			"all at once",
			Config{Lease: ms, CallTimeout: time.Minute, OnUncertain: "x"},
			"consumer: Lease (1ms) must be at least 1s\nLease (1ms) must exceed CallTimeout (1m0s)\n" +
				"StopTimeout (20s) must exceed CallTimeout (1m0s)\nOnUncertain (x) must be retry or dead",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q, err := streamutil.NewQueue(streamutil.NewClient(streamutil.ClientConfig{}), streamutil.QueueConfig{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := New(q, senderFunc(nil), tc.cfg); text(err) != tc.want {
				t.Errorf("error %q, want %q", text(err), tc.want)
			}
		})
	}
}
