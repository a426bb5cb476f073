package campaign

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"orderq/internal/partner"
	"orderq/internal/redistest"
)

// deleteConsumer deletes one that has entries in flight.
func deleteConsumer(s *system) []string {
	s.t.Helper()
	s.deleteBusy()
	return nil
}

// deleteAndKill deletes one, and then kills its process: nobody knows of what it
// had in flight but the stream itself.
func deleteAndKill(s *system) []string {
	s.t.Helper()
	pid := s.deleteBusy()
	for _, c := range s.consumers {
		if c.cmd.Process.Pid == pid {
			c.kill()
		}
	}
	return nil
}

// deleteBusy deletes a consumer that has entries in flight, and gives the id of
// its process.
func (s *system) deleteBusy() (pid int) {
	s.t.Helper()
	await(s.t, 10*time.Second, "a consumer with pending entries is deleted", func() bool {
		for _, c := range s.snapshot().Consumers {
			if c.InFlight > 0 && s.redis.CLI("XGROUP", "DELCONSUMER", s.key("stream"), "dispatchers", c.Name) != "0" {
				pid = c.PID
				return true
			}
		}
		return false
	})
	return pid
}

// pending gives an entry that is pending under a name; empty if none is.
func (s *system) pending(name string) string {
	s.t.Helper()
	entry, _, _ := strings.Cut(s.redis.CLI("XPENDING", s.key("stream"), "dispatchers", "-", "+", "1", name), "\n")
	return entry
}

// acknowledge takes an entry in flight for finished.
func acknowledge(s *system) []string {
	s.t.Helper()
	await(s.t, 10*time.Second, "an entry in flight is acknowledged", func() bool {
		for _, c := range s.snapshot().Consumers {
			if id := s.pending(c.Name); id != "" && s.redis.CLI("XACK", s.key("stream"), "dispatchers", id) == "1" {
				return true
			}
		}
		return false
	})
	return nil
}

// deleteWaiting deletes the last entry of many.
func deleteWaiting(s *system) []string {
	s.t.Helper()
	if n := s.snapshot().Waiting; n < 5 {
		s.t.Fatalf("%d entries wait, want more", n)
	}
	return s.deleteEntry(strings.Split(s.redis.CLI("XREVRANGE", s.key("stream"), "+", "-", "COUNT", "1"), "\n")[0])
}

func deleteParked(s *system) []string {
	s.t.Helper()
	var gone []string
	await(s.t, 10*time.Second, "a parked entry is deleted", func() bool {
		if id := s.pending("parked"); id != "" {
			gone = s.deleteEntry(id)
		}
		return gone != nil
	})
	return gone
}

// deleteEntry deletes an entry and gives its order's id; nil if it is gone already.
func (s *system) deleteEntry(entry string) []string {
	s.t.Helper()
	fields := strings.Split(s.redis.CLI("XRANGE", s.key("stream"), entry, entry), "\n")
	if len(fields) < 3 || s.redis.CLI("XDEL", s.key("stream"), entry) != "1" {
		return nil
	}
	return []string{fields[2]} // after the entry's ID and the first field's name
}

// deleteKeys deletes one key after the other, the record of an order that waits
// and of one in flight among them, and lets sending go on between.
func deleteKeys(s *system) []string {
	s.t.Helper()
	last := s.redis.CLI("XREVRANGE", s.key("stream"), "+", "-", "COUNT", "1")
	doomed := []string{"order:" + strings.Split(last, "\n")[2], "order:" + s.partner.Calls()[s.partner.Seen()-1].OrderID}
	for _, name := range append(doomed, keyNames[1:]...) { // all but the stream
		s.redis.CLI("DEL", s.key(name))
		s.awaitCalls(5)
	}
	return nil
}

// fillMemory leaves Redis none: new orders are refused, accepted ones are sent.
func fillMemory(s *system) []string {
	s.t.Helper()
	s.redis.CLI("CONFIG", "SET", "maxmemory", "1mb")
	await(s.t, 5*time.Second, "a new order is refused", func() bool {
		status, _, err := newShop(s.url).try(s.t.Context(), body("FULL"))
		return err == nil && status == http.StatusServiceUnavailable
	})
	s.awaitBlocked("memory")
	s.awaitCalls(10)
	s.redis.CLI("CONFIG", "SET", "maxmemory", "0")
	return nil
}

// follow makes Redis a replica of nothing, which takes no writes, and a master again.
func follow(s *system) []string {
	s.t.Helper()
	host, port, _ := strings.Cut(redistest.FreeAddress(s.t), ":")
	s.redis.CLI("REPLICAOF", host, port)
	s.noticed("redis", partner.Now())
	wait(s.t, time.Second)
	s.redis.CLI("REPLICAOF", "NO", "ONE")
	return nil
}

// pauseClients lets Redis answer nobody for longer than a lease.
func pauseClients(s *system) []string {
	s.t.Helper()
	const pause = 3500 * time.Millisecond
	s.redis.CLI("CLIENT", "PAUSE", strconv.FormatInt(pause.Milliseconds(), 10))
	began := partner.Now()
	await(s.t, 10*time.Second, "the metric says redis", func() bool {
		return s.consumers[0].metrics()[s.blockedMetric("redis")] == 1
	})
	took := time.Duration(partner.Now() - began)
	report(s.t, "redis: said by the metric after %v", took.Round(time.Millisecond))
	if took > pause {
		s.t.Errorf("redis: said after a pause of %v only", pause)
	}
	s.redis.CLI("PING")
	return nil
}
