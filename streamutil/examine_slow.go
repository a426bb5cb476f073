package streamutil

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// slowEntries is how many entries of the slow log are looked at: as many as
// Redis keeps by itself.
const slowEntries = 128

// readSlow keeps what concerns keys with this prefix. What else was said to
// Redis, orders' bodies among it, is not looked at.
func (e *Examination) readSlow(r rueidis.RedisResult, prefix string) error {
	entries, err := r.ToArray()
	for _, entry := range entries {
		v := &reply{script: "slowlog", values: arrayOf(entry)}
		v.int()
		at, took := time.Unix(v.int(), 0), v.micros()
		words, _ := v.next()
		args, _ := words.AsStrSlice()
		if v.err != nil {
			return v.err
		}
		if slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, prefix) }) {
			e.Slow = append(e.Slow, SlowCall{What: callName(args), Took: took, At: at})
		}
	}
	return err
}

// callName is what a call is known by: one of our scripts, or a command.
func callName(args []string) string {
	if len(args) == 0 {
		return "?"
	}
	if len(args) > 1 {
		if name, ours := scriptNames()[args[1]]; ours {
			return name + ".lua"
		}
	}
	return fmt.Sprintf("%.20s", strings.ToUpper(args[0]))
}

// scriptNames tells scripts by what EVALSHA calls them, whichever flags they
// run with. Few ever need it: it is made when somebody does.
var scriptNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	files, _ := sources.ReadDir("scripts") // compiled in
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".lua")
		for _, flags := range []string{anyMemory, readOnly, legacy} {
			names[newScript(name, flags).sha] = name
		}
	}
	return names
})
