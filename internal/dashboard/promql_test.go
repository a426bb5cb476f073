package dashboard_test

import (
	"regexp"
	"strings"
)

var (
	// A metric with its matchers, and its window if it has one.
	selectors = regexp.MustCompile(`([a-zA-Z_:][\w:]*)\{([^{}]*)\}(\[[^\]]*\])?`)
	matchers  = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"`)
	bare      = regexp.MustCompile(`\b(orderq_|go_|process_|queue:)\w*`)
	anybodys  = regexp.MustCompile(`\b(up|(go|process)_\w+)\{`)
	ourOwn    = regexp.MustCompile(` and on \(job(, instance)?\) (max by \(job\) \(last_over_time\()?orderq_build_info\{`)
	inRate    = regexp.MustCompile(`(rate|increase)\($`)
	inMaxBy   = regexp.MustCompile(`max by \(queue(, reason)?\) \($`)
)

// query checks the PromQL of one target. Whether it is PromQL at all is for a
// real Prometheus to say.
func (l *linter) query(where, expr string, instant bool) {
	rest := selectors.ReplaceAllString(expr, "")
	l.must(!bare.MatchString(rest), "%s: %s without matchers", where, bare.FindString(rest))
	// Every program has these; with all jobs chosen, all of them would be shown.
	l.must(!anybodys.MatchString(expr) || ourOwn.MatchString(expr), "%s: of programs that are not ours, too", where)
	found := selectors.FindAllStringSubmatchIndex(expr, -1)
	l.must(len(found) > 0, "%s: no metric in %q", where, expr)
	for _, at := range found {
		s := use{name: expr[at[2]:at[3]], before: expr[:at[0]]}
		if at[6] >= 0 {
			s.window = expr[at[6]:at[7]]
		}
		s.matchers = expr[at[4]:at[5]]
		l.selector(where, s, instant)
	}
}

// use is a selector in its place.
type use struct{ name, matchers, window, before string }

func (l *linter) selector(where string, s use, instant bool) {
	where += ": " + s.name
	f, ok := l.known[s.name]
	l.must(ok, "%s: nobody exports it", where)
	l.must(strings.Contains(s.matchers, `job=~"$job"`), "%s: no matcher for the job", where)
	for _, m := range matchers.FindAllStringSubmatch(s.matchers, -1) {
		l.must(m[1] == "job" || m[1] == "instance" || f.labels[m[1]], "%s: it has no label %s", where, m[1])
	}
	l.must(!f.labels["queue"] || strings.Contains(s.matchers, `queue=~"$queue"`), "%s: no matcher for the queue", where)
	instance := strings.Contains(s.matchers, `instance=~"$instance"`)
	if isShared(s.name) {
		// The value is the same everywhere: to add it up is wrong, and it must
		// not go away because one instance did.
		l.must(inMaxBy.MatchString(s.before), "%s: not under max by (queue)", where)
		l.must(!instance, "%s: a matcher for the instance, though all say the same", where)
	} else {
		// Whether a job is ours is a question about all its instances.
		l.must(instance || strings.HasSuffix(s.before, "last_over_time("), "%s: no matcher for the instance", where)
	}
	rated := inRate.MatchString(s.before)
	l.must(f.counter == rated, "%s: a counter outside of rate and increase, or a gauge within", where)
	// A window that is fixed is right only in a number of now, which names it.
	l.must(!rated || s.window == "[$__rate_interval]" || instant && s.window == "[1h]",
		"%s: the window %s", where, s.window)
}
