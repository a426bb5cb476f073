package embedded

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/alicebob/miniredis/v2/server"
)

// hook sees every command before miniredis does, those that scripts call
// included, and adds what miniredis lacks:
//
//   - scripts that begin with "#!lua flags=..." (EVAL, EVALSHA, SCRIPT)
//   - INFO server, replication, memory and persistence
//   - exclusive starts, "(ID", in XPENDING
//
// Inside a script miniredis is locked, so nothing here may call its methods.
type hook struct {
	redis *server.Server
	// runID and replID tell one start of the server from another.
	runID, replID string
	// rewritten maps the SHA of a script as the client knows it to the SHA of
	// what miniredis was given.
	rewritten sync.Map
}

func newHook(s *server.Server) *hook {
	return &hook{redis: s, runID: randomHex(), replID: randomHex()}
}

// before rewrites the arguments in place, or answers and returns true.
func (h *hook) before(c *server.Peer, cmd string, args ...string) bool {
	switch {
	case cmd == "EVAL" && len(args) > 0:
		args[0] = h.rewrite(args[0])
	case cmd == "EVALSHA" && len(args) > 0:
		args[0] = h.shaOf(args[0])
	case cmd == "SCRIPT" && len(args) > 1:
		return h.script(c, strings.ToUpper(args[0]), args[1:])
	case cmd == "INFO":
		return h.info(c, args)
	case cmd == "XPENDING" && len(args) > 2:
		args[2] = inclusive(args[2])
	}
	return false
}

// rewrite turns the flags line into a comment of the same length, and
// remembers under which SHA the script is now kept.
func (h *hook) rewrite(script string) string {
	rest, found := strings.CutPrefix(script, "#!")
	if !found {
		return script
	}
	plain := "--" + rest
	h.rewritten.Store(shaHex(script), shaHex(plain))
	return plain
}

func (h *hook) shaOf(sha string) string {
	sha = strings.ToLower(sha)
	if kept, ok := h.rewritten.Load(sha); ok {
		return kept.(string)
	}
	return sha
}

// script handles LOAD and EXISTS; LOAD must answer with the SHA of the script
// as it was sent.
func (h *hook) script(c *server.Peer, verb string, args []string) bool {
	switch verb {
	case "EXISTS":
		for i, sha := range args {
			args[i] = h.shaOf(sha)
		}
	case "LOAD":
		plain := h.rewrite(args[0])
		if plain == args[0] {
			return false
		}
		if failure := h.load(plain); failure != "" {
			c.WriteRaw(failure)
		} else {
			c.WriteBulk(shaHex(args[0]))
		}
		return true
	}
	return false
}

// load gives miniredis a script and returns its reply if that is an error.
func (h *hook) load(script string) string {
	var reply bytes.Buffer
	w := bufio.NewWriter(&reply)
	h.redis.Dispatch(server.NewPeer(w), []string{"SCRIPT", "LOAD", script})
	_ = w.Flush() // a bytes.Buffer does not fail
	if strings.HasPrefix(reply.String(), "-") {
		return reply.String()
	}
	return ""
}

// info answers the sections that say which server and which history this is,
// that its memory has no bound, and nothing of files, which it does not have.
func (h *hook) info(c *server.Peer, args []string) bool {
	self := "# Server\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\nrun_id:" + h.runID + "\r\n"
	replication := "# Replication\r\nrole:master\r\nconnected_slaves:0\r\nmaster_replid:" + h.replID + "\r\n"
	switch {
	case len(args) == 0:
		c.WriteBulk(self + "\r\n" + replication)
	case strings.EqualFold(args[0], "server"):
		c.WriteBulk(self)
	case strings.EqualFold(args[0], "replication"):
		c.WriteBulk(replication)
	case strings.EqualFold(args[0], "memory"):
		c.WriteBulk("# Memory\r\nmaxmemory:0\r\n")
	case strings.EqualFold(args[0], "persistence"):
		c.WriteBulk("# Persistence\r\nloading:0\r\n")
	default:
		return false
	}
	return true
}

// inclusive turns the exclusive start "(MS-SEQ" into the next ID. What it
// cannot read it leaves for miniredis to refuse.
func inclusive(start string) string {
	id, found := strings.CutPrefix(start, "(")
	ms, seq, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(seq, 10, 64)
	if !found || err != nil {
		return start
	}
	return fmt.Sprintf("%s-%d", ms, n+1)
}

func shaHex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func randomHex() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return hex.EncodeToString(b)
}
