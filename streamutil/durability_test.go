package streamutil_test

import (
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"

	"orderq/internal/redistest"
	"orderq/streamutil"
)

func TestParseDurability(t *testing.T) {
	for text, want := range map[string]string{
		"": "memory", "memory": "memory", "fsync": "fsync", "replicas=1": "replicas=1", "replicas=99": "replicas=99",
	} {
		d, err := streamutil.ParseDurability(text)
		if err != nil || d.String() != want {
			t.Errorf("%q: %v, %v", text, d, err)
		}
		b, _ := d.MarshalText()
		var again streamutil.Durability
		if err := again.UnmarshalText(b); err != nil || again != d {
			t.Errorf("%q as text is %s, read as %v, %v", text, b, again, err)
		}
	}
	for _, text := range []string{"disk", "replicas", "replicas=", "replicas=0", "replicas=-1", "replicas=100", "replicas=x", "FSYNC"} {
		if d, err := streamutil.ParseDurability(text); err == nil {
			t.Errorf("%q was read as %v", text, d)
		}
	}
}

func durable(t *testing.T, text string) streamutil.ClientConfig {
	t.Helper()
	d, err := streamutil.ParseDurability(text)
	if err != nil {
		t.Fatal(err)
	}
	return streamutil.ClientConfig{Durability: d}
}

// Without WAITAOF (Redis 7.0) only appendfsync always is enough.
func TestFsync(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		ok   bool // on any version
		says string
	}{
		{"always", []string{"--appendonly", "yes", "--appendfsync", "always"}, true, ""},
		{"every second", []string{"--appendonly", "yes", "--appendfsync", "everysec"}, false, "appendfsync"},
		{"no append-only file", nil, false, "appendonly"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t, c.args...)
			if len(c.args) > 0 && !c.ok && knows(srv, "WAITAOF") {
				c.ok = true
			}
			cfg := durable(t, "fsync")
			cfg.Addresses = []string{srv.Addr()}
			client := streamutil.NewClient(cfg)
			defer client.Close()
			err := client.CheckDurability(t.Context())
			if c.ok != (err == nil) || (!c.ok && !errors.Is(err, streamutil.ErrDurability)) {
				t.Fatalf("check: %v", err)
			}
			if !c.ok && !strings.Contains(err.Error(), c.says) {
				t.Errorf("the reason is not said: %v", err)
			}
			// A caller who did not check first is not told a lie.
			h := harnessOn(t, srv, cfg, streamutil.QueueConfig{})
			_, err = h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "A", Body: []byte("{}")})
			if c.ok != (err == nil) || (!c.ok && !errors.Is(err, streamutil.ErrDurability)) {
				t.Errorf("enqueue: %v", err)
			}
			if !c.ok && srv.CLI("EXISTS", h.key("stream")) != "0" {
				t.Error("the order was taken in all the same")
			}
		})
	}
}

func knows(srv *redistest.Server, command string) bool {
	return srv.CLI("COMMAND", "INFO", command) != ""
}

// What a server promised when it was first asked it may not keep: a restart, or a
// hand, can change its settings.
func TestFsyncIsAskedEachTime(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	cfg := durable(t, "fsync")
	h := harnessOn(t, srv, cfg, streamutil.QueueConfig{})
	enqueue := func(id string) error {
		_, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: id, Body: []byte("{}")})
		return err
	}
	if err := enqueue("A"); err != nil {
		t.Fatal(err)
	}
	h.redis("CONFIG", "SET", "appendonly", "no")
	if err := enqueue("B"); !errors.Is(err, streamutil.ErrNotConfirmed) && !errors.Is(err, streamutil.ErrDurability) {
		t.Errorf("without a file: %v", err)
	}
	if err := enqueue("B"); !errors.Is(err, streamutil.ErrDurability) {
		t.Errorf("again: %v", err)
	}
	h.redis("CONFIG", "SET", "appendonly", "yes")
	redistest.Eventually(t, "the file is there", func() bool { return enqueue("B") == nil })
}

func TestCheckDurabilityWithoutRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	srv.Kill()
	cfg := durable(t, "fsync")
	cfg.Addresses = []string{srv.Addr()}
	client := streamutil.NewClient(cfg)
	defer client.Close()
	err := client.CheckDurability(t.Context())
	if !errors.Is(err, streamutil.ErrUnavailable) || errors.Is(err, streamutil.ErrDurability) {
		t.Errorf("%v", err)
	}
}

// The replica is frozen: the order was taken in, and its caller is told that it
// is not safe yet. Again it is recognised, and confirmed once the replica wakes.
func TestReplicas(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	replica := replicaOf(t, master)
	h := harnessOn(t, master, durable(t, "replicas=1"), streamutil.QueueConfig{})
	h.expect(h.submit("A"), "accepted A waiting position=1")
	h.register("c1")

	replica.Stop()
	h.expect(h.submit("B"), "ErrNotConfirmed")
	h.expect(h.submit("A"), "ErrNotConfirmed") // it writes something, so that WAIT can vouch for it
	h.expect(h.take("c1", 1, 1), "ErrNotConfirmed")
	_, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "B", Body: []byte(`{"of":"B"}`)})
	if errors.Is(err, streamutil.ErrUnavailable) || streamutil.ErrorKind(err) != "" {
		t.Errorf("Redis is there: %v", err)
	}

	replica.Continue()
	redistest.Eventually(t, "the repetition is confirmed", func() bool {
		r, err := h.q.Enqueue(t.Context(), streamutil.NewOrder{ID: "B", Body: []byte(`{"of":"B"}`)})
		return err == nil && r.Duplicate
	})
	h.expect(h.take("c1", 2, 0), "settled")
	h.expect(h.take("c1", 3, 1), "taken A#1")
	replica.Stop()
	h.expect(h.delivered("c1", 3, "A"), "ErrNotConfirmed")
	replica.Continue()
	redistest.Eventually(t, "the settlement is confirmed", func() bool { return h.delivered("c1", 3, "A") == "ok delivered" })
	if s := h.snapshot(); s.Totals.Accepted != 2 || s.Totals.Delivered != 1 {
		t.Errorf("%+v", s.Totals)
	}
}

// replicaOf starts a replica and waits until it is in step.
func replicaOf(t *testing.T, master *redistest.Server) *redistest.Server {
	t.Helper()
	master.CLI("CONFIG", "SET", "repl-diskless-sync-delay", "0")
	replica := redistest.Start(t)
	host, port, _ := net.SplitHostPort(master.Addr())
	replica.CLI("REPLICAOF", host, port)
	state := func() string { return master.CLI("INFO", "replication") }
	redistest.Eventually(t, "the replica is online", func() bool { return strings.Contains(state(), "state=online") })
	// In step only when it has acknowledged a write that came after.
	master.CLI("SET", "a", "write")
	acknowledged := regexp.MustCompile(`state=online,offset=([1-9]\d*),`)
	redistest.Eventually(t, "the replica is in step", func() bool {
		info := state()
		offset := acknowledged.FindStringSubmatch(info)
		return offset != nil && strings.Contains(info, "master_repl_offset:"+offset[1]+"\r")
	})
	return replica
}
